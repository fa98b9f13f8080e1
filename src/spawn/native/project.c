#include "project.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "disk.h"
#include "io.h"
#include "power.h"
#include "system.h"

/* BYTES_PER_FILE: nobody who has room for what is in his files runs out of files, each of which takes one
 * block at least, unless they are empty. */
enum { BLOCK = 16384, BYTES_PER_FILE = 4096, MIN_FILES = 64, SPARE = 1 << 20 };
enum { MAX_LOOKS = 50, BETWEEN_LOOKS_MS = 20, DEVICE_PATH = 64 };

static int complain_of(int error, const char *step) {
  errno = error;
  return disk_complain(step);
}

/* The device node as the kernel names it in /sys: /dev/block is udev's, which containers and small systems
 * lack. What is there has to be that device. */
static bool find_node(dev_t device, char node[DEVICE_PATH]) {
  char link[64], target[PATH_MAX];
  snprintf(link, sizeof link, "/sys/dev/block/%u:%u", major(device), minor(device));
  ssize_t length = readlink(link, target, sizeof target - 1);
  if (length <= 0) return false;
  target[length] = '\0';
  const char *name = strrchr(target, '/');
  if (name == NULL || snprintf(node, DEVICE_PATH, "/dev%s", name) >= DEVICE_PATH) return false;
  /* As in names like cciss!c0d0. */
  for (char *at = node; (at = strchr(at, '!')) != NULL;) *at = '/';
  struct stat stats;
  return lstat(node, &stats) == 0 && S_ISBLK(stats.st_mode) && stats.st_rdev == device;
}

/* quotactl(2): by the descriptor from Linux 5.14 on; before that, and where a filter that does not know that
 * call refuses it, by the node of the device. */
static int quota_call(int file, int command, uint32_t id, void *value) {
  const unsigned call = QCMD((unsigned)command, PRJQUOTA);
  if (syscall(NR_quotactl_fd, file, call, id, value) == 0) return 0;
  const int refused = errno;
  if (refused != ENOSYS && refused != EPERM) return -1;
  struct stat stats;
  char node[DEVICE_PATH];
  if (fstat(file, &stats) == 0 && find_node(stats.st_dev, node))
    return (int)syscall(SYS_quotactl, call, node, id, value);
  errno = refused;
  return -1;
}

/* xfs has nothing (ENOENT) of a number that never had a file. */
static int read_quota(int file, uint32_t id, struct if_dqblk *quota) {
  memset(quota, 0, sizeof *quota);
  return quota_call(file, Q_GETQUOTA, id, quota) == 0 || errno == ENOENT ? 0 : -1;
}

static bool is_used(const struct if_dqblk *quota) {
  return quota->dqb_curspace != 0 || quota->dqb_curinodes != 0;
}

static bool is_limited(const struct if_dqblk *quota) {
  return quota->dqb_bhardlimit != 0 || quota->dqb_bsoftlimit != 0 || quota->dqb_ihardlimit != 0 ||
         quota->dqb_isoftlimit != 0;
}

/* Hard limits; 0: none. What the kernel has made of them is read back. */
static int set_limit(int file, uint32_t id, uint64_t blocks, uint64_t files) {
  struct if_dqblk quota = {.dqb_bhardlimit = blocks, .dqb_ihardlimit = files, .dqb_valid = QIF_LIMITS};
  if (quota_call(file, Q_SETQUOTA, id, &quota) != 0 || read_quota(file, id, &quota) != 0) return -1;
  errno = EIO;
  return quota.dqb_bhardlimit == blocks && quota.dqb_ihardlimit == files ? 0 : -1;
}

static int limit_bytes(int file, uint32_t id, int64_t bytes) {
  const uint64_t files = (uint64_t)bytes / BYTES_PER_FILE;
  return set_limit(file, id, (uint64_t)bytes / QIF_DQBLKSIZE, files < MIN_FILES ? MIN_FILES : files);
}

static int read_project(int file, struct fsxattr *attributes) {
  /* Its number is more than the int that ioctl() takes in musl. */
  return (int)syscall(SYS_ioctl, file, FS_IOC_FSGETXATTR, attributes);
}

/* `inherited`: FS_XFLAG_PROJINHERIT, by which what is made in a directory is of its project; or 0. */
static int set_project(int file, uint32_t id, uint32_t inherited) {
  struct fsxattr attributes;
  if (read_project(file, &attributes) != 0) return -1;
  attributes.fsx_projid = id;
  attributes.fsx_xflags = (attributes.fsx_xflags & ~(uint32_t)FS_XFLAG_PROJINHERIT) | inherited;
  if (ioctl(file, FS_IOC_FSSETXATTR, &attributes) != 0 || read_project(file, &attributes) != 0) return -1;
  errno = EIO;
  return attributes.fsx_projid == id && (attributes.fsx_xflags & FS_XFLAG_PROJINHERIT) == inherited ? 0 : -1;
}

static int open_directory(const char *path) {
  return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * Makes `file`, which nobody else has, the first of a project that nobody else has: neither files nor limits.
 * Of two who take the same number at once at least one finds two files in it, and lets go.
 */
static int take(int file, uint32_t id, uint32_t inherited) {
  struct if_dqblk quota;
  if (read_quota(file, id, &quota) != 0) return disk_complain("quota");
  if (is_used(&quota) || is_limited(&quota)) return complain_of(EEXIST, "taken");
  if (set_project(file, id, inherited) != 0) return disk_complain("project");
  if (read_quota(file, id, &quota) != 0) return disk_complain("quota");
  /* Not counted: nothing would be bound. */
  if (quota.dqb_curinodes == 0) return complain_of(ENOTSUP, "count");
  if (quota.dqb_curinodes == 1) return 0;
  return set_project(file, 0, 0) == 0 ? complain_of(EEXIST, "taken") : disk_complain("project");
}

/* The directories of a new allocation, of which the first holds the others. Goes on where an earlier call has
 * been killed. Not when our supervisor is dead: its successor may be removing the task by now. */
static int give(uint32_t id, int64_t bytes, char **paths) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return disk_complain("prctl");
  _cleanup_fd_ int root = open_directory(paths[0]);
  struct fsxattr attributes;
  if (root < 0) return disk_complain("open");
  if (read_project(root, &attributes) != 0) return disk_complain("project");
  if (attributes.fsx_projid != id) {
    int failed = take(root, id, FS_XFLAG_PROJINHERIT);
    if (failed != 0) return failed;
  }
  if (limit_bytes(root, id, bytes) != 0) return disk_complain("limit");
  for (size_t i = 1; paths[i] != NULL; i++) {
    _cleanup_fd_ int directory = open_directory(paths[i]);
    if (directory < 0) return disk_complain("open");
    if (set_project(directory, id, FS_XFLAG_PROJINHERIT) != 0) return disk_complain("project");
  }
  return 0;
}

static int change_limit(uint32_t id, int64_t bytes, const char *path) {
  _cleanup_fd_ int root = open_directory(path);
  struct fsxattr attributes;
  if (root < 0) return disk_complain("open");
  if (read_project(root, &attributes) != 0) return disk_complain("project");
  if (attributes.fsx_projid != id) return complain_of(ESTALE, "project");
  return limit_bytes(root, id, bytes) == 0 ? 0 : disk_complain("limit");
}

/* Of files that are gone: what somebody still has open goes with its last descriptor. One that is used may be
 * somebody else's, and is left alone. */
static int free_project(uint32_t id, const char *path) {
  _cleanup_fd_ int directory = open_directory(path);
  if (directory < 0) return disk_complain("open");
  struct if_dqblk quota;
  for (int looks = 0; looks < MAX_LOOKS; looks++) {
    if (looks > 0) sleep_ms(BETWEEN_LOOKS_MS);
    if (read_quota(directory, id, &quota) != 0) return disk_complain("quota");
    if (!is_used(&quota)) return set_limit(directory, id, 0, 0) == 0 ? 0 : disk_complain("limit");
  }
  return complain_of(EBUSY, "used");
}

/* Numbers with limits and without files: of those that have been given up amid their removal. */
static int list_left(uint32_t first, uint32_t last, const char *path) {
  _cleanup_fd_ int directory = open_directory(path);
  if (directory < 0) return disk_complain("open");
  for (uint32_t id = first; id <= last;) {
    struct if_nextdqblk next = {0};
    if (quota_call(directory, Q_GETNEXTQUOTA, id, &next) != 0)
      return errno == ENOENT || errno == ESRCH ? 0 : disk_complain("quota");
    if (next.dqb_id < id || next.dqb_id > last) return 0;
    struct if_dqblk quota;
    if (read_quota(directory, next.dqb_id, &quota) != 0) return disk_complain("quota");
    if (is_limited(&quota) && !is_used(&quota)) dprintf(1, "%u\n", next.dqb_id);
    if (next.dqb_id == UINT32_MAX) return 0;
    id = next.dqb_id + 1;
  }
  return 0;
}

/* No limit binds who has it (ignore_hardlimit() of fs/quota/dquot.c); no task has. */
static bool has_bound_itself(void) { return drop_effective(CAP_SYS_RESOURCE); }

/* By its effect, as a task would: a write beyond the limit has to fail, of which a file system with room for
 * it is no cause. */
static int write_beyond(int file, int64_t bytes) {
  static const char block[BLOCK];
  struct statfs stats;
  if (fstatfs(file, &stats) != 0) return disk_complain("statfs");
  if ((uint64_t)stats.f_bavail * (uint64_t)stats.f_bsize < (uint64_t)bytes + SPARE)
    return complain_of(ENOSPC, "space");
  if (!has_bound_itself()) return disk_complain("capability");
  for (int64_t written = 0; written <= bytes;) {
    ssize_t count = write(file, block, sizeof block);
    if (count < 0 && errno != EINTR) return errno == EDQUOT || errno == ENOSPC ? 0 : disk_complain("write");
    if (count > 0) written += count;
  }
  return complain_of(EFBIG, "effect");
}

/* On a file without a name: nothing of it is left, however this ends, but for limits without files. */
static int try_project(uint32_t id, int64_t bytes, const char *path) {
  _cleanup_fd_ int file = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) return disk_complain("open");
  int failed = take(file, id, 0);
  if (failed != 0) return failed;
  if (limit_bytes(file, id, bytes) != 0) return disk_complain("limit");
  failed = write_beyond(file, bytes);
  if (set_limit(file, id, 0, 0) != 0 && failed == 0) return disk_complain("limit");
  return failed;
}

int project_run(char **arguments) {
  int64_t id, number;
  size_t count = 0;
  while (arguments[count] != NULL) count++;
  if (count < 3 || !parse_number(arguments[1], 1, UINT32_MAX, &id)) return 2;
  const char *verb = arguments[0];
  if (count == 3 && strcmp(verb, "free") == 0) return free_project((uint32_t)id, arguments[2]);
  if (count < 4 || !parse_number(arguments[2], 1, INT64_MAX, &number)) return 2;
  if (strcmp(verb, "give") == 0) return give((uint32_t)id, number, arguments + 3);
  if (count != 4) return 2;
  if (strcmp(verb, "try") == 0) return try_project((uint32_t)id, number, arguments[3]);
  if (strcmp(verb, "limit") == 0) return change_limit((uint32_t)id, number, arguments[3]);
  if (strcmp(verb, "left") == 0 && number <= UINT32_MAX)
    return list_left((uint32_t)id, (uint32_t)number, arguments[3]);
  return 2;
}
