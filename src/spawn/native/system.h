/* System calls that the C library or the kernel headers at hand may be too old to name. Numbers from 424 up
 * are the same on every architecture. */
#pragma once
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum {
  NR_open_tree = 428,
  NR_move_mount = 429,
  NR_fsopen = 430,
  NR_fsconfig = 431,
  NR_fsmount = 432,
  NR_pidfd_open = 434,
  NR_clone3 = 435,
  NR_close_range = 436,
  NR_openat2 = 437,
  NR_pidfd_getfd = 438,
  NR_mount_setattr = 442,
  NR_quotactl_fd = 443
};

struct how {
  uint64_t flags, mode, resolve;
};
struct mount_attributes {
  uint64_t set, clear, propagation, userns_fd;
};

enum { HOW_NO_XDEV = 0x01, HOW_NO_MAGICLINKS = 0x02, HOW_NO_SYMLINKS = 0x04, HOW_BENEATH = 0x08 };
enum { TREE_CLONE = 1, TREE_CLOEXEC = O_CLOEXEC, TREE_RECURSIVE = 0x8000, TREE_EMPTY_PATH = 0x1000 };
enum { MOVE_FROM_EMPTY_PATH = 0x4, MOVE_TO_EMPTY_PATH = 0x40 };
enum {
  ATTRIBUTE_READ_ONLY = 1,
  ATTRIBUTE_NOSUID = 2,
  ATTRIBUTE_NODEV = 4,
  ATTRIBUTE_NOEXEC = 8,
  ATTRIBUTE_IDMAP = 0x100000
};

static inline int sys_open_tree(int dir, const char *path, unsigned flags) {
  return (int)syscall(NR_open_tree, dir, path, flags);
}
static inline int sys_move_mount(int from, int to) {
  return (int)syscall(NR_move_mount, from, "", to, "", MOVE_FROM_EMPTY_PATH | MOVE_TO_EMPTY_PATH);
}
enum { CONFIG_FLAG = 0, CONFIG_STRING = 1, CONFIG_CREATE = 6 };
enum { FSOPEN_CLOSES_ON_EXEC = 1, FSMOUNT_CLOSES_ON_EXEC = 1 };
static inline int sys_fsopen(const char *type) {
  return (int)syscall(NR_fsopen, type, FSOPEN_CLOSES_ON_EXEC);
}
static inline int sys_fsconfig(int fd, unsigned command, const char *key, const char *value) {
  return (int)syscall(NR_fsconfig, fd, command, key, value, 0);
}
static inline int sys_fsmount(int fd, uint64_t attributes) {
  return (int)syscall(NR_fsmount, fd, FSMOUNT_CLOSES_ON_EXEC, attributes);
}
static inline int sys_pidfd_open(pid_t pid) { return (int)syscall(NR_pidfd_open, pid, 0); }
static inline int sys_pidfd_getfd(int process, int fd) {
  return (int)syscall(NR_pidfd_getfd, process, fd, 0);
}
static inline int sys_close_range(unsigned first, unsigned last, unsigned flags) {
  return (int)syscall(NR_close_range, first, last, flags);
}
static inline int sys_openat2(int dir, const char *path, const struct how *how) {
  return (int)syscall(NR_openat2, dir, path, how, sizeof *how);
}
static inline int sys_mount_setattr(int fd, unsigned flags, const struct mount_attributes *attributes) {
  return (int)syscall(NR_mount_setattr, fd, "", flags | TREE_EMPTY_PATH, attributes, sizeof *attributes);
}
/*
 * A new, empty one. Whoever possesses a keyring may use its keys whatever user he is, and it is inherited:
 * the supervisor's holds its login's. Fails where the kernel has no keys, and when the user has used up his
 * share (keyrings(7)): then the one at hand stays.
 */
static inline void sys_own_session_keyring(void) {
  (void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0L, 0, 0, 0);
}
static inline int sys_pivot_root(const char *root, const char *old) {
  return (int)syscall(SYS_pivot_root, root, old);
}
/*
 * fork without the C library's own bookkeeping (locks of threads we do not have), which writes to half a
 * dozen pages in each child: a shim and a stub live as long as their task, and those pages would be most of
 * what they weigh.
 */
static inline pid_t sys_fork(void) { return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }
/* struct clone_args of Linux 5.7, whose last field came with CLONE_INTO_CGROUP. */
struct clone_arguments {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size,
      cgroup;
};
enum { CLONE_ARGUMENTS_SIZE = 88 };
_Static_assert(sizeof(struct clone_arguments) == CLONE_ARGUMENTS_SIZE, "clone_args has no gaps");

/* sys_fork with the child in a cgroup of v2 from its birth. ENOSYS, E2BIG, EINVAL before Linux 5.7; EBADF
 * where it is one of v1. */
static inline pid_t sys_fork_into(int cgroup) {
  const uint64_t into_cgroup = 0x200000000;
  struct clone_arguments arguments = {
      .flags = into_cgroup, .exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup};
  return (pid_t)syscall(NR_clone3, &arguments, sizeof arguments);
}
/* The new process is a child of our parent. */
static inline pid_t sys_fork_sibling(void) {
  return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}
