#include "empty_namespace.h"
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>
#include "mount_namespace.h"
#include "privileges.h"
#include "system.h"

/* /proc serves as the mount point: it is always there, and ours to cover in a namespace of our own. */
bool empty_namespace_pivot(const void *nothing) {
  (void)nothing;
  const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (mount("tmpfs", "/proc", "tmpfs", flags, "size=4k,mode=0555") != 0 || chdir("/proc") != 0) return false;
  return sys_pivot_root(".", ".") == 0 && umount2(".", MNT_DETACH) == 0;
}

int empty_namespace_make(void) { return mount_namespace_make(empty_namespace_pivot, NULL); }

/*
 * PID 1 is visible to the task, and a task that was given CAP_SYS_PTRACE may look through it (/proc/1/root,
 * /proc/1/cwd) or become it (/proc/1/mem). A chroot would not do: `..` beyond it is judged by the root of
 * whoever walks. Without mounts and without capabilities there is nothing to gain.
 */
bool empty_namespace_enter(int empty_namespace) {
  if (empty_namespace >= 0 && setns(empty_namespace, CLONE_NEWNS) != 0) return false;
  bound_capabilities();
  return clear_capabilities();
}
