#include "child.h"
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "cgroup.h"
#include "egress_link.h"
#include "empty_namespace.h"
#include "inside.h"
#include "landlock.h"
#include "log.h"
#include "lookup.h"
#include "privileges.h"
#include "root.h"
#include "terminal.h"
#include "system.h"

/* The shim's own descriptors are all above 2, so no dup2 overwrites one still needed. */
static int take_descriptors(const struct child_setup *setup, int self, struct failure *failure) {
  if (dup2(setup->in, 0) < 0 || dup2(setup->out, 1) < 0 || dup2(setup->err, 2) < 0)
    return fail(failure, STAGE_EXEC, errno, "descriptors");
  if (setup->network >= 0 && setns(setup->network, CLONE_NEWNET) != 0)
    return fail(failure, STAGE_NETWORK, errno, "%s", setup->spec->network_path);
  /* The shim's ends of everything, `alive` above all: its end of file must mean the shim. */
  const struct spec *spec = setup->spec;
  int kept[6 + MAX_MAPS] = {
      setup->exec_barrier, setup->status_pipe, setup->egress, spec->prepared_root, setup->console, self};
  size_t count = 6;
  for (const struct file_map *map = spec->maps; map != NULL; map = map->next) kept[count++] = map->fd;
  close_others(kept, count);
  return 0;
}

static int set_oom_score_adj(
    const struct spec *spec, const struct platform_info *platform, struct failure *failure) {
  int wanted = spec->has_oom_score_adj ? spec->oom_score_adj : platform->oom_score_adj;
  if (wanted == platform->own_oom_score_adj) return 0;
  char text[16];
  snprintf(text, sizeof text, "%d", wanted);
  if (write_file("/proc/self/oom_score_adj", text)) return 0;
  /* Not dumpable means owned by root to procfs, which shuts out any other user from its own file. */
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  bool written = write_file("/proc/self/oom_score_adj", text);
  int error = errno;
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  return written ? 0 : fail(failure, STAGE_LIMIT, error, "oom_score_adj %d", wanted);
}

static int raise_loopback(struct failure *failure) {
  _cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};
  memcpy(request.ifr_name, "lo", 3);
  if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0)
    return fail(failure, STAGE_NETWORK, errno, "loopback");
  return 0;
}

static int enter_namespaces(const struct child_setup *setup, struct failure *failure) {
  static const struct {
    unsigned bit;
    int flag;
  } known[] = {
      {NAMESPACE_MOUNT, CLONE_NEWNS},
      {NAMESPACE_IPC, CLONE_NEWIPC},
      {NAMESPACE_UTS, CLONE_NEWUTS},
      {NAMESPACE_CGROUP, CLONE_NEWCGROUP},
      {NAMESPACE_NETWORK, CLONE_NEWNET},
  };
  const struct spec *spec = setup->spec;
  int flags = 0;
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if ((spec->namespaces & known[i].bit) != 0) flags |= known[i].flag;
  if (flags != 0 && unshare(flags) != 0)
    return fail(failure, STAGE_NAMESPACE, errno, "unshare %#x", (unsigned)flags);
  if (spec->hostname != NULL && sethostname(spec->hostname, strlen(spec->hostname)) != 0)
    return fail(failure, STAGE_HOSTNAME, errno, "%s", spec->hostname);
  return (spec->namespaces & NAMESPACE_NETWORK) != 0 ? raise_loopback(failure) : 0;
}

static int open_door(const struct child_setup *setup, struct failure *failure) {
  _cleanup_fd_ int channel = setup->egress;
  return channel < 0 ? 0 : egress_listen(channel, setup->spec->egress_port, failure);
}

static int set_limits(
    const struct spec *spec, const struct platform_info *platform, struct failure *failure) {
  if (!inherited_give_back(&platform->inherited))
    return fail(failure, STAGE_LIMIT, errno, "what the supervisor was started with");
  if (spec->has_nice && setpriority(PRIO_PROCESS, 0, spec->nice) != 0)
    return fail(failure, STAGE_LIMIT, errno, "nice %d", spec->nice);
  /* Not by sched_setscheduler(3), which musl has only to refuse it. None of the three has a static priority.
   */
  if (spec->has_cpu_policy &&
      syscall(SYS_sched_setscheduler, 0, spec->cpu_policy, &(struct sched_param){0}) != 0)
    return fail(failure, STAGE_LIMIT, errno, "cpu policy %d", spec->cpu_policy);
  for (const struct rlimit_spec *limit = spec->rlimits; limit != NULL; limit = limit->next)
    if (prlimit(0, limit->resource, &limit->value, NULL) != 0)
      return fail(failure, STAGE_LIMIT, errno, "rlimit %s", limit->name);
  return 0;
}

/* The root's own /dev/null in place of the host's: its read-only mount keeps its mode, and its name can be
 * found. */
static int use_own_null(const struct spec *spec, struct failure *failure) {
  const struct {
    const struct file_target *target;
    int fd, flags;
  } streams[] = {
      {&spec->in, 0, O_RDONLY},
      {&spec->out, 1, O_WRONLY | O_APPEND},
      {&spec->err, 2, O_WRONLY | O_APPEND},
  };
  for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
    if (!is_null(streams[i].target) || (streams[i].fd == 0 && spec->stdin_open)) continue;
    _cleanup_fd_ int null = open("/dev/null", streams[i].flags | O_CLOEXEC);
    /* A root that was put together without it keeps the view of the host's. */
    if (null >= 0 && dup2(null, streams[i].fd) < 0) return fail(failure, STAGE_EXEC, errno, "descriptors");
  }
  return 0;
}

/* Without a pid namespace nothing else ends the task with its shim. A backstop only: it is per process and
 * lost at fork. */
static int die_with_shim(pid_t shim, struct failure *failure) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
    return fail(failure, STAGE_EXEC, errno, "parent-death signal");
  /* It may have died before we asked. Where it is not of our pid namespace, it has the number 0 there. */
  pid_t parent = getppid();
  if (parent != shim && parent != 0) _exit(1);
  return 0;
}

static bool has_own_processes(const struct spec *spec) {
  return spec->inside.leader.pid != 0 ? spec->inside.init.pid != 0 : (spec->namespaces & NAMESPACE_PID) != 0;
}

/* Before anything is given up: an open file may be what the limits forbid, and a path what the user may not
 * walk. *ruleset stays -1 where there is to be none. */
static int build_domain(const struct child_setup *setup, int *ruleset, struct failure *failure) {
  const struct spec *spec = setup->spec;
  if (!has_own_processes(spec) && spec->landlock == NULL && spec->scopes == 0 && !spec->offline) return 0;
  *ruleset = landlock_build(spec, setup->platform->landlock, failure);
  return failure->stage == STAGE_NONE ? 0 : -1;
}

/*
 * A domain for each task with processes of its own, and one for each exec session: neither can reach into the
 * other's processes, nor into our own, so that tracing its own is harmless. A task cannot signal its exec
 * sessions either; an exec session may signal the task, as whoever runs it may. Whoever shares the processes
 * of the host has asked for them. Without a domain, tracing stays refused.
 */
static int confine(const struct child_setup *setup, int ruleset, struct failure *failure) {
  const struct spec *spec = setup->spec;
  bool apart = ruleset >= 0 && landlock_enter(ruleset);
  bool needs_domain =
      spec->landlock != NULL || (spec->offline && setup->platform->landlock >= LANDLOCK_OF_TCP);
  if (!apart && needs_domain) return fail(failure, STAGE_LANDLOCK, errno, "domain");
  if (spec->offline && seccomp_install_offline(failure) != 0) return -1;
  if (!spec->seccomp) return 0;
  return seccomp_install(
      apart && has_own_processes(spec) ? &setup->platform->tracing : &setup->platform->program, failure);
}

static int give_up_privileges(const struct child_setup *setup, int ruleset, struct failure *failure) {
  const struct spec *spec = setup->spec;
  if (!spec->no_new_privileges && confine(setup, ruleset, failure) != 0) return -1;
  if (drop_privileges(spec, failure) != 0) return -1;
  /* A change of user has made us what fs.suid_dumpable says, which may be readable by that user. Until exec
   * we are not. */
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail(failure, STAGE_CAPABILITIES, errno, "dumpable");
  bool alone = spec->inside.leader.pid == 0 && (spec->namespaces & NAMESPACE_PID) == 0;
  if (alone && die_with_shim(setup->shim, failure) != 0) return -1;
  if (spec->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail(failure, STAGE_CAPABILITIES, errno, "no_new_privs");
  if (chdir(spec->cwd) != 0) return fail(failure, STAGE_CHDIR, errno, "%s", spec->cwd);
  return spec->no_new_privileges ? confine(setup, ruleset, failure) : 0;
}

/*
 * The order is forced almost everywhere:
 * - descriptors first (the network namespace to join is one): everything after works with only our own open;
 * - cgroups before the cgroup namespace, whose root is where we are at unshare; and before all that costs
 * memory or pids;
 * - oom_score_adj and cgroups before the new root, which has neither /proc nor /sys of the host;
 * - the prepared root before unshare, which makes our own copy of it;
 * - limits while still privileged, but late: a small one (as, nofile) must not hit our own set-up;
 * - the terminal in the root where the task will look for its name;
 * - the parent-death signal after the credentials, whose change clears it;
 * - chdir after the credentials, so that the permission asked is the user's;
 * - Landlock and seccomp last, so that they need not allow what set-up does. They need no_new_privs or
 * CAP_SYS_ADMIN: without the first, they come while we have the second.
 */
static int prepare(const struct child_setup *setup, struct walls *walls, struct failure *failure) {
  const struct spec *spec = setup->spec;
  _cleanup_fd_ int self = walls_open();
  signals_by_default();
  if (setsid() < 0) return fail(failure, STAGE_FORK, errno, "setsid");
  if (take_descriptors(setup, self, failure) != 0) return -1;
  if (cgroups_join(spec->cgroups, setup->joined, false, failure) != 0) return -1;
  if (set_oom_score_adj(spec, setup->platform, failure) != 0) return -1;
  if (spec->prepared_root >= 0 && root_join(spec, failure) != 0) return -1;
  if (enter_namespaces(setup, failure) != 0 || open_door(setup, failure) != 0) return -1;
  if ((spec->namespaces & NAMESPACE_MOUNT) != 0 &&
      root_enter(spec, setup->platform->has_mount_setattr, failure) != 0)
    return -1;
  request_wipe(setup->request);
  if (terminal_enter(spec, setup->console, failure) != 0 || terminal_control(spec, failure) != 0) return -1;
  /* With a terminal, that is what its streams are. */
  if (spec->root != NULL && spec->terminal_rows == 0 && use_own_null(spec, failure) != 0) return -1;
  _cleanup_fd_ int ruleset = -1;
  if (build_domain(setup, &ruleset, failure) != 0) return -1;
  umask(spec->umask);
  if (set_limits(spec, setup->platform, failure) != 0) return -1;
  if (give_up_privileges(setup, ruleset, failure) != 0) return -1;
  walls_read(walls, self, false);
  return 0;
}

/*
 * Into the running task. As above, but everything of the task's is there: the cgroups with its limits, the
 * namespaces with its root. Whatever is the host's is closed before the task can see us, and its view of us
 * begins with the fork after this.
 */
static int prepare_inside(const struct child_setup *setup, struct walls *walls, struct failure *failure) {
  const struct spec *spec = setup->spec;
  _cleanup_fd_ int self = walls_open();
  struct entrance entrance;
  signals_by_default();
  if (dup2(setup->in, 0) < 0 || dup2(setup->out, 1) < 0 || dup2(setup->err, 2) < 0)
    return fail(failure, STAGE_EXEC, errno, "descriptors");
  int before[] = {
      setup->exec_barrier, setup->status_pipe, setup->pid_pipe, setup->process, setup->console, self};
  close_others(before, 6);
  if (entrance_open(&entrance, setup->process, failure) != 0) return -1;
  if (cgroups_join(spec->cgroups, setup->joined, true, failure) != 0 ||
      cgroups_join_deferred(spec->deferred_cgroups, failure) != 0)
    return -1;
  if (set_oom_score_adj(spec, setup->platform, failure) != 0) return -1;
  if (entrance_pass(&entrance, failure) != 0) return -1;
  walls_read(walls, self, true);
  int after[] = {setup->exec_barrier, setup->status_pipe, setup->pid_pipe, setup->console};
  close_others(after, 4);
  self = -1;
  if (terminal_enter(spec, setup->console, failure) != 0) return -1;
  _cleanup_fd_ int ruleset = -1;
  if (build_domain(setup, &ruleset, failure) != 0) return -1;
  umask(spec->umask);
  if (set_limits(spec, setup->platform, failure) != 0) return -1;
  return give_up_privileges(setup, ruleset, failure);
}

/* Waits for the word that the start is recorded, and that what is in force by now has been read back. */
static void run_program(const struct child_setup *setup, const struct walls *walls, struct failure *failure) {
  struct child_ready ready;
  char byte;
  ssize_t count;
  /* Also what lies between its members. */
  memset(&ready, 0, sizeof ready);
  ready.mark = CHILD_READY;
  ready.walls = *walls;
  if (!write_all(setup->status_pipe, &ready, sizeof ready)) {
    fail(failure, STAGE_EXEC, errno, "status pipe");
    return;
  }
  do count = read(setup->exec_barrier, &byte, 1);
  while (count < 0 && errno == EINTR);
  if (count != 1) _exit(1);
  byte = CHILD_MARK;
  if (write_all(setup->status_pipe, &byte, 1)) program_execute(setup->spec, failure);
  else fail(failure, STAGE_EXEC, errno, "status pipe");
}

static _Noreturn void report_failure(const struct child_setup *setup, const struct failure *failure) {
  write_all(setup->status_pipe, failure, sizeof *failure);
  _exit(127);
}

_Noreturn void child_run(const struct child_setup *setup) {
  struct failure failure = {.stage = STAGE_NONE};
  struct walls walls;
  if (prepare(setup, &walls, &failure) == 0) run_program(setup, &walls, &failure);
  report_failure(setup, &failure);
}

_Noreturn void child_run_inside(const struct child_setup *setup) {
  struct failure failure = {.stage = STAGE_NONE};
  struct walls walls;
  if (prepare_inside(setup, &walls, &failure) != 0) report_failure(setup, &failure);
  pid_t pid = sys_fork_sibling();
  if (pid == 0) {
    close(setup->pid_pipe);
    if (setsid() < 0) fail(&failure, STAGE_FORK, errno, "setsid");
    else if (terminal_control(setup->spec, &failure) == 0 && die_with_shim(setup->shim, &failure) == 0)
      run_program(setup, &walls, &failure);
    report_failure(setup, &failure);
  }
  if (pid < 0) fail(&failure, STAGE_FORK, errno, "inside the task");
  else if (write_all(setup->pid_pipe, &pid, sizeof pid)) _exit(0);
  else fail(&failure, STAGE_FORK, errno, "pid of the process inside the task");
  report_failure(setup, &failure);
}
