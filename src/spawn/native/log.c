#include "log.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "inside.h"
#include "record.h"
#include "system.h"

/* O_NONBLOCK: a FIFO planted or given without a reader must be an error, not a wait without end. */
enum { LOG_FLAGS = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, LOG_MODE = 0640 };

/* O_PATH with O_NOFOLLOW opens the link itself. */
static int open_unlinked(int dir, const char *name, int flags) {
  int fd = openat(dir, name, flags | O_NOFOLLOW, LOG_MODE);
  struct stat status;
  if (fd >= 0 && (flags & O_PATH) != 0 && (fstat(fd, &status) != 0 || S_ISLNK(status.st_mode))) {
    close_fd(&fd);
    errno = ELOOP;
  }
  return fd;
}

/* Before Linux 5.6: one component at a time, none of them a link. */
static int open_by_component(int base, const char *path, int flags) {
  _cleanup_fd_ int dir = openat(base, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  while (dir >= 0) {
    path += strspn(path, "/");
    size_t length = strcspn(path, "/");
    char name[NAME_MAX + 1];
    if (length > NAME_MAX) return errno = ENAMETOOLONG, -1;
    memcpy(name, path, length);
    name[length] = '\0';
    if (length == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return errno = EXDEV, -1;
    path += length;
    if (path[strspn(path, "/")] == '\0') return open_unlinked(dir, name, flags);
    int next = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    close_fd(&dir);
    dir = next;
  }
  return -1;
}

int open_beneath(int base, const char *path, int flags) {
  struct how how = {
    .flags = (uint64_t)flags,
    .mode = (flags & O_CREAT) != 0 ? LOG_MODE : 0,
    .resolve = HOW_BENEATH | HOW_NO_SYMLINKS | HOW_NO_MAGICLINKS,
  };
  int fd = sys_openat2(base, path, &how);
  /* EPERM: a sandbox's filter that does not know the call. EAGAIN: a rename raced with the walk. */
  for (int again = 0; fd < 0 && errno == EAGAIN && again < 8; again++) fd = sys_openat2(base, path, &how);
  if (fd < 0 && (errno == ENOSYS || errno == EPERM)) fd = open_by_component(base, path, flags);
  return fd;
}

static int open_once(int base, const char *path, int flags) {
  return base >= 0 ? open_beneath(base, path, flags) : open(path, flags, LOG_MODE);
}

/* `created` tells our own new file from one that lay there: only the new one may change hands. O_EXCL makes the difference certain. */
static int open_or_create(int base, const char *path, bool *created) {
  for (int again = 0; again < 3; again++) {
    int fd = open_once(base, path, LOG_FLAGS | O_CREAT | O_EXCL);
    *created = fd >= 0;
    if (fd >= 0 || errno != EEXIST) return fd;
    fd = open_once(base, path, LOG_FLAGS);
    if (fd >= 0 || errno != ENOENT) return fd;
  }
  return -1;
}

/* Beneath a base the task may have put anything there: a hard link to another's file, a FIFO, a device. */
static int check_planted(const struct stat *status, const struct spec *spec) {
  if (!S_ISREG(status->st_mode)) return EINVAL;
  if (status->st_nlink != 1) return EMLINK;
  bool ours = status->st_uid == 0 || status->st_uid == geteuid() || (spec->has_credentials && status->st_uid == spec->uid);
  return ours ? 0 : EPERM;
}

static int fail_at(struct failure *failure, enum stage stage, int error, const struct file_target *target, const char *what) {
  if (target->base == NULL) return fail(failure, stage, error, "%s%s", target->path, what);
  return fail(failure, stage, error, "%s/%s%s", target->base, target->path, what);
}

int open_through_mount(int fd, int flags, uint64_t attributes) {
  _cleanup_fd_ int tree = sys_open_tree(fd, "", TREE_CLONE | TREE_CLOEXEC | TREE_EMPTY_PATH);
  struct mount_attributes change = {.set = attributes};
  if (tree < 0 || sys_mount_setattr(tree, 0, &change) != 0) return -1;
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", tree);
  return open(path, flags);
}

int open_read_only_view(int fd, int flags) {
  int view = open_through_mount(fd, flags, ATTRIBUTE_READ_ONLY | ATTRIBUTE_NOSUID | ATTRIBUTE_NOEXEC);
  if (view < 0) return fd;
  close(fd);
  return view;
}

bool is_null(const struct file_target *target) { return target->base == NULL && strcmp(target->path, "/dev/null") == 0; }

/* Our own descriptor 0 is the spawner's /dev/null: opened anew by its link, it stays on the same mount. */
static int open_null(int flags) { return open("/proc/self/fd/0", flags | O_CLOEXEC); }

static int open_base(const struct file_target *target) {
  return target->base == NULL ? -1 : open(target->base, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int open_given(int number, const struct identity *lender, int flags);

int open_stdin(const struct file_target *target, const struct spec *spec, bool own_root, const struct identity *lender, struct failure *failure) {
  if (is_null(target)) {
    int null = open_null(O_RDONLY);
    return null >= 0 ? null : fail_at(failure, STAGE_STDIN, errno, target, "");
  }
  _cleanup_fd_ int base = open_base(target);
  if (target->base != NULL && base < 0) return fail_at(failure, STAGE_STDIN, errno, target, "");
  const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  int given = given_descriptor(target);
  _cleanup_fd_ int fd = given >= 0 ? open_given(given, lender, O_RDONLY) : open_once(base, target->path, flags);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) return fail_at(failure, STAGE_STDIN, errno, target, "");
  if (S_ISDIR(status.st_mode)) return fail_at(failure, STAGE_STDIN, EISDIR, target, "");
  /* A hard link or a device that a task planted would be read with our rights. */
  if (base >= 0 && (!S_ISREG(status.st_mode) || status.st_nlink != 1)) return fail_at(failure, STAGE_STDIN, EINVAL, target, "");
  /* So that the task's user may open /dev/stdin: an anonymous pipe, or the FIFO that the supervisor has made for this stream alone. */
  size_t dir = strlen(spec->dir);
  bool fed = strncmp(target->path, spec->dir, dir) == 0 && strcmp(target->path + dir, "/stdin") == 0;
  struct statfs system;
  bool pipe = S_ISFIFO(status.st_mode) && base < 0 && (fed || (fstatfs(fd, &system) == 0 && system.f_type == PIPEFS_MAGIC));
  if (pipe && spec->has_credentials && fchown(fd, spec->uid, spec->gid) != 0 && errno != EPERM)
    return fail_at(failure, STAGE_STDIN, errno, target, ": change of owner");
  if (own_root && S_ISREG(status.st_mode)) fd = open_read_only_view(fd, flags);
  if (fcntl(fd, F_SETFL, 0) != 0) return fail_at(failure, STAGE_STDIN, errno, target, "");
  int kept = fd;
  fd = -1;
  return kept;
}

/* Of a FIFO beneath a base: nobody but the supervisor's user could have made it so. */
static bool is_ours_alone(const struct stat *status) { return status->st_uid == geteuid() && (status->st_mode & 077) == 0; }

/*
 * A FIFO is held open at both ends for as long as the shim lives: without a reader, or between two of them, the task neither fails to start nor
 * dies of SIGPIPE; it waits when the FIFO is full, and what is in it is there for the next reader.
 */
static int open_fifo(int base, const char *path, int *held) {
  _cleanup_fd_ int both = open_once(base, path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat status;
  if (both < 0 || fstat(both, &status) != 0) return -1;
  if (!S_ISFIFO(status.st_mode) || (base >= 0 && !is_ours_alone(&status))) return errno = ENXIO, -1;
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", both);
  int fd = open(link, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) return -1;
  *held = both;
  both = -1;
  return fd;
}

static int open_given(int number, const struct identity *lender, int flags) {
  char link[32];
  _cleanup_fd_ int process = process_open(lender);
  if (process < 0) return -1;
  snprintf(link, sizeof link, "fd/%d", number);
  return openat(process, link, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int open_log_directory(const struct file_target *target) {
  const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  char path[PATH_MAX];
  const char *slash = strrchr(target->path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - target->path);
  if (length >= sizeof path) return errno = ENAMETOOLONG, -1;
  memcpy(path, target->path, length);
  path[length] = '\0';
  if (target->base == NULL) return open(length == 0 ? "/" : path, flags);
  _cleanup_fd_ int base = open_base(target);
  if (base < 0) return -1;
  return length == 0 ? openat(base, ".", flags) : open_beneath(base, path, flags);
}

int open_log(const struct file_target *target, const struct spec *spec, const struct identity *lender, int *held, struct failure *failure) {
  if (is_null(target)) {
    int null = open_null(O_WRONLY | O_APPEND);
    return null >= 0 ? null : fail_at(failure, STAGE_LOG, errno, target, "");
  }
  _cleanup_fd_ int base = open_base(target);
  if (target->base != NULL && base < 0) return fail_at(failure, STAGE_LOG, errno, target, "");
  bool created = false;
  int given = given_descriptor(target);
  _cleanup_fd_ int fd = given < 0 ? open_or_create(base, target->path, &created) : open_given(given, lender, O_WRONLY | O_APPEND);
  struct stat status;
  if (given < 0 && (fd < 0 ? errno == ENXIO : fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode))) {
    /* Closed only when that is open: a reader that waits in open(2) has been woken, and takes an instant without a writer for the end. */
    _cleanup_fd_ int tried = fd;
    fd = open_fifo(base, target->path, held);
  }
  if (fd < 0 || fstat(fd, &status) != 0) return fail_at(failure, STAGE_LOG, errno, target, "");
  int wrong = base >= 0 && *held < 0 ? check_planted(&status, spec) : 0;
  if (wrong != 0) return fail_at(failure, STAGE_LOG, wrong, target, "");
  /* The task's own, so that a program may open /dev/stdout again; one that is rotated it need only read. */
  uid_t owner = spec->log_most > 0 ? (uid_t)-1 : spec->uid;
  if (created && spec->has_credentials && fchown(fd, owner, spec->gid) != 0)
    return fail_at(failure, STAGE_LOG, errno, target, ": change of owner");
  if (fcntl(fd, F_SETFL, O_APPEND) != 0) return fail_at(failure, STAGE_LOG, errno, target, "");
  int kept = fd;
  fd = -1;
  return kept;
}
