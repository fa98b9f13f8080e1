#include "egress_confine.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "landlock.h"
#include "privileges.h"

enum { NOBODY = 65534 };

static bool become(uid_t id) { return setresgid(id, id, id) == 0 && setresuid(id, id, id) == 0; }

/* EINVAL: this user namespace does not have the number. Where it has none but ours, the capabilities are all
 * that there is to give up. */
static bool change_user(void) {
  if (geteuid() != 0 || setgroups(0, NULL) != 0) return true;
  return become(EGRESS_USER) || (errno == EINVAL && become(NOBODY)) || errno == EINVAL;
}

static bool drop_capabilities(void) {
  bound_capabilities();
  return change_user() && clear_capabilities() && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

/* Neither forks nor files; memory for all connections and no more. */
static bool set_limits(void) {
  const struct {
    int resource;
    rlim_t value;
  } limits[] = {{RLIMIT_NPROC, 0}, {RLIMIT_FSIZE, 0}, {RLIMIT_CORE, 0}, {RLIMIT_DATA, 96 << 20}};
  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
    const struct rlimit limit = {limits[i].value, limits[i].value};
    if (prlimit(0, limits[i].resource, &limit, NULL) != 0) return false;
  }
  return true;
}

/* What files it may open: two are read, and links lead from /etc to below /run. Where Landlock or one of them
 * is missing, the filter and the user stay. */
static void restrict_files(int version) {
  struct landlock_rule run = {.at = "/run", .access = LANDLOCK_READ},
                       etc = {.next = &run, .at = "/etc", .access = LANDLOCK_READ};
  const struct spec spec = {.landlock = &etc};
  struct failure failure = {.stage = STAGE_NONE};
  int ruleset = version == 0 ? -1 : landlock_build(&spec, version, &failure);
  if (ruleset < 0) return;
  landlock_enter(ruleset);
  close(ruleset);
}

#if defined(__SANITIZE_ADDRESS__) || !(defined(__x86_64__) || defined(__aarch64__))
/* The sanitizers' own calls are many. */
static bool install_filter(void) { return true; }
#else
#if defined(__x86_64__)
enum { OUR_ARCHITECTURE = AUDIT_ARCH_X86_64 };
#else
enum { OUR_ARCHITECTURE = AUDIT_ARCH_AARCH64 };
#endif

static const unsigned short allowed[] = {
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
    SYS_epoll_pwait,
    SYS_epoll_ctl,
    SYS_read,
    SYS_write,
    SYS_close,
    SYS_recvfrom,
    SYS_sendto,
    SYS_recvmsg,
    SYS_connect,
    SYS_accept4,
    SYS_shutdown,
    SYS_setsockopt,
    SYS_getsockopt,
    SYS_clock_gettime,
    SYS_getrandom,
    SYS_brk,
    SYS_mmap,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_mprotect,
    SYS_futex,
    SYS_rt_sigreturn,
    SYS_restart_syscall,
    SYS_fcntl,
    SYS_getpid,
    SYS_exit,
    SYS_exit_group,
};
enum { ALLOWED = sizeof allowed / sizeof allowed[0], WRITES = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC };

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, member))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
#define UNLESS(test, value, skip) BPF_JUMP(BPF_JMP | test | BPF_K, value, 0, skip)

static bool install_filter(void) {
  struct sock_filter code[2 * ALLOWED + 32] = {
      LOAD(arch),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCHITECTURE, 1, 0),
      RETURN(SECCOMP_RET_KILL_PROCESS),
      LOAD(nr),
  };
  size_t length = 4;
  for (size_t i = 0; i < ALLOWED; i++) {
    code[length++] = (struct sock_filter)UNLESS(BPF_JEQ, allowed[i], 1);
    code[length++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
  }
  const struct sock_filter last[] = {
      UNLESS(BPF_JEQ, SYS_openat, 4),
      LOAD(args[2]),
      UNLESS(BPF_JSET, WRITES, 1),
      RETURN(SECCOMP_RET_ERRNO | EPERM),
      RETURN(SECCOMP_RET_ALLOW),
      UNLESS(BPF_JEQ, SYS_socket, 5),
      LOAD(args[0]),
      UNLESS(BPF_JEQ, AF_INET, 1),
      RETURN(SECCOMP_RET_ALLOW),
      UNLESS(BPF_JEQ, AF_INET6, 1),
      RETURN(SECCOMP_RET_ALLOW),
      RETURN(SECCOMP_RET_ERRNO | EPERM),
  };
  for (size_t i = 0; i < sizeof last / sizeof last[0]; i++) code[length++] = last[i];
  struct sock_fprog program = {.len = (unsigned short)length, .filter = code};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}
#endif

bool egress_confine(int landlock) {
  if (!set_limits() || !drop_capabilities()) return false;
  restrict_files(landlock);
  return install_filter();
}
