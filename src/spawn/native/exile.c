#include "exile.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "io.h"
#include "system.h"

/* /proc serves as the mount point: it is always there, and ours to cover in a namespace of our own. */
static bool empty_out(void) {
  if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return false;
  const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (mount("tmpfs", "/proc", "tmpfs", flags, "size=4k,mode=0555") != 0 || chdir("/proc") != 0) return false;
  return sys_pivot_root(".", ".") == 0 && umount2(".", MNT_DETACH) == 0;
}

/* A child makes the namespace and goes; it lives on in our descriptor and in those who enter it. */
int exile_make(void) {
  int made[2], taken[2];
  if (pipe2(made, O_CLOEXEC) != 0) return -1;
  _cleanup_fd_ int made_read = made[0], made_write = made[1];
  if (pipe2(taken, O_CLOEXEC) != 0) return -1;
  _cleanup_fd_ int taken_read = taken[0], taken_write = taken[1];
  pid_t pid = fork();
  if (pid < 0) return -1;
  char byte = 0;
  if (pid == 0) {
    close_fd(&taken_write);
    if (empty_out() && write_all(made_write, &byte, 1)) while (read(taken_read, &byte, 1) < 0 && errno == EINTR) {}
    _exit(0);
  }
  close_fd(&made_write);
  int exile = -1;
  if (read(made_read, &byte, 1) == 1) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", pid);
    exile = open(path, O_RDONLY | O_CLOEXEC);
  }
  close_fd(&taken_write);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
  return exile;
}

/*
 * PID 1 is visible to the task, and a task that was given CAP_SYS_PTRACE may look through it (/proc/1/root, /proc/1/cwd) or become it (/proc/1/mem).
 * A chroot would not do: `..` beyond it is judged by the root of whoever walks. Without mounts and without capabilities there is nothing to gain.
 */
bool exile_enter(int exile) {
  if (exile >= 0 && setns(exile, CLONE_NEWNS) != 0) return false;
  for (unsigned long capability = 0; capability < 64; capability++)
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) break;
  /* EPERM without CAP_SETPCAP: then there is little to give up, and capset below gives it up. */
  prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0);
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct none[2] = {{0}, {0}};
  if (syscall(SYS_capset, &header, none) != 0) return false;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}
