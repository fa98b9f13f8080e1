#include "log.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "numbered.h"
#include "process.h"
#include "record.h"
#include "system.h"
#include "walk.h"

/* O_NONBLOCK: a FIFO planted or external without a reader must be an error, not a wait without end. */
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

/* `planted` says whether a task may have put it there. */
static int open_once(int base, const char *path, int flags, bool *planted) {
  *planted = base >= 0;
  return base >= 0 ? open_beneath(base, path, flags) : open_trusted(path, flags, planted);
}

/* `created` tells our own new file from one that lay there: only the new one may change hands. O_EXCL makes
 * the difference certain. */
static int open_or_create(int base, const char *path, bool *created, bool *planted) {
  for (int again = 0; again < 3; again++) {
    int fd = open_once(base, path, LOG_FLAGS | O_CREAT | O_EXCL, planted);
    *created = fd >= 0;
    if (fd >= 0 || errno != EEXIST) return fd;
    fd = open_once(base, path, LOG_FLAGS, planted);
    if (fd >= 0 || errno != ENOENT) return fd;
  }
  return -1;
}

/* Beneath a base the task may have put anything there: a hard link to another's file, a FIFO, a device. */
static int check_planted(const struct stat *status, const struct spec *spec, bool pumped) {
  if (!S_ISREG(status->st_mode)) return EINVAL;
  if (status->st_nlink != 1) return EMLINK;
  if (pumped) return status->st_uid == geteuid() && (status->st_mode & 022) == 0 ? 0 : EPERM;
  bool ours = status->st_uid == 0 || status->st_uid == geteuid() ||
              (spec->has_credentials && status->st_uid == spec->uid);
  return ours ? 0 : EPERM;
}

/* Of a FIFO beneath a base: nobody but the supervisor's user could have made it so. */
static bool is_ours_alone(const struct stat *status) {
  return status->st_uid == geteuid() && (status->st_mode & 077) == 0;
}

/*
 * Whatever a neighbour has put where our log is to be must not keep the task from starting, and is never
 * written to: it becomes NAME.planted, or, where it does not move, goes. What cannot be moved at all fails
 * the start when the log is opened.
 */
static OWN_FRAME void make_room(const struct file_target *target, const struct spec *spec) {
  const char *slash = strrchr(target->path, '/');
  const char *name = slash == NULL ? target->path : slash + 1;
  char aside[NAME_MAX + 16];
  struct stat status;
  _cleanup_fd_ int dir = open_log_directory(target);
  if (dir < 0 || strlen(name) > NAME_MAX || fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (check_planted(&status, spec, true) == 0 || (S_ISFIFO(status.st_mode) && is_ours_alone(&status))) return;
  snprintf(aside, sizeof aside, "%s.planted", name);
  if (renameat(dir, name, dir, aside) != 0 && unlinkat(dir, name, 0) != 0) unlinkat(dir, name, AT_REMOVEDIR);
}

static int fail_at(struct failure *failure, enum stage stage, int error, const struct file_target *target,
    const char *what) {
  if (target->base == NULL)
    return fail(failure, stage, error, "%s%s%s", target->path, what, error == ELOOP ? walk_refused() : "");
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

bool is_null(const struct file_target *target) {
  return target->base == NULL && strcmp(target->path, "/dev/null") == 0;
}

/* Our own descriptor 0 is the spawner's /dev/null: opened anew by its link, it stays on the same mount. */
static int open_null(int flags) { return open("/proc/self/fd/0", flags | O_CLOEXEC); }

static int open_base(const struct file_target *target) {
  return target->base == NULL ? -1 : open_trusted(target->base, O_PATH | O_DIRECTORY | O_CLOEXEC, NULL);
}

static int open_external(int number, const struct identity *donor, int flags, bool *passed);

bool is_named_fifo(const struct file_target *target, int fd) {
  struct stat status;
  return external_descriptor(target) < 0 && fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

int open_stdin(const struct file_target *target, const struct spec *spec, bool own_root,
    const struct identity *donor, struct failure *failure) {
  if (is_null(target)) {
    int null = open_null(O_RDONLY);
    return null >= 0 ? null : fail_at(failure, STAGE_STDIN, errno, target, "");
  }
  _cleanup_fd_ int base = open_base(target);
  if (target->base != NULL && base < 0) return fail_at(failure, STAGE_STDIN, errno, target, "");
  const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  bool passed = false, planted = false;
  int external = external_descriptor(target);
  _cleanup_fd_ int fd = external >= 0 ? open_external(external, donor, O_RDONLY, &passed)
                                      : open_once(base, target->path, flags, &planted);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) return fail_at(failure, STAGE_STDIN, errno, target, "");
  if (S_ISDIR(status.st_mode)) return fail_at(failure, STAGE_STDIN, EISDIR, target, "");
  /* A hard link or a device that a task planted would be read with our rights. */
  if (planted && (!S_ISREG(status.st_mode) || status.st_nlink != 1))
    return fail_at(failure, STAGE_STDIN, EINVAL, target, "");
  /* So that the task's user may open /dev/stdin. */
  struct statfs system;
  bool pipe =
      external >= 0 && S_ISFIFO(status.st_mode) && fstatfs(fd, &system) == 0 && system.f_type == PIPEFS_MAGIC;
  if (pipe && spec->has_credentials && fchown(fd, spec->uid, spec->gid) != 0 && errno != EPERM)
    return fail_at(failure, STAGE_STDIN, errno, target, ": change of owner");
  if (own_root && S_ISREG(status.st_mode)) fd = open_read_only_view(fd, flags);
  /* Flags of a descriptor that was passed are the donor's too. */
  if (!passed && fcntl(fd, F_SETFL, 0) != 0) return fail_at(failure, STAGE_STDIN, errno, target, "");
  int kept = fd;
  fd = -1;
  return kept;
}

/*
 * A FIFO is held open at both ends for as long as the shim lives: without a reader, or between two of them,
 * the task neither fails to start nor dies of SIGPIPE; it waits when the FIFO is full, and what is in it is
 * there for the next reader.
 */
static int open_fifo(int base, const char *path, int *held) {
  bool planted;
  _cleanup_fd_ int both =
      open_once(base, path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, &planted);
  struct stat status;
  if (both < 0 || fstat(both, &status) != 0) return -1;
  if (!S_ISFIFO(status.st_mode) || (planted && !is_ours_alone(&status))) return errno = ENXIO, -1;
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", both);
  int fd = open(link, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) return -1;
  *held = both;
  both = -1;
  return fd;
}

/* The donor's very descriptor, one offset for both of us. Needs the right to trace the donor (ptrace(2)), and
 * Linux 5.6. */
static int take_external(int number, const struct identity *donor) {
  _cleanup_fd_ int process = sys_pidfd_open(donor->pid);
  if (process < 0) return -1;
  _cleanup_fd_ int fd = sys_pidfd_getfd(process, number);
  /* Asked when the pidfd is there, which is never another process's: what we took is the donor's own. */
  if (fd < 0 || identify(donor->pid).start != donor->start) return -1;
  int kept = fd;
  fd = -1;
  return kept;
}

static bool allows(int fd, int access) {
  int mode = fcntl(fd, F_GETFL) & O_ACCMODE;
  return mode == O_RDWR || mode == access;
}

/*
 * A pipe, a terminal and any other device are opened anew: our flags are then not the donor's, whose event
 * loop may want them not to wait. A file is passed as it is when it is to be written, so that neither writes
 * over what the other has written. A socket cannot be opened anew at all.
 */
static bool is_passed(const struct stat *status, int access) {
  return S_ISSOCK(status->st_mode) || (access == O_WRONLY && S_ISREG(status->st_mode));
}

/* proc_pid_fdinfo(5): in octal. False too when that cannot be known. */
static bool appends(int process, int number) {
  char path[32], text[256];
  snprintf(path, sizeof path, "fdinfo/%d", number);
  if (read_file_at(process, path, text, sizeof text) < 0) return false;
  const char *flags = strstr(text, "flags:");
  return flags != NULL && (strtoul(flags + strlen("flags:"), NULL, 8) & O_APPEND) != 0;
}

static int open_external(int number, const struct identity *donor, int flags, bool *passed) {
  char link[32];
  struct stat status;
  const int access = flags & O_ACCMODE;
  _cleanup_fd_ int process = process_open(donor);
  if (process < 0) return -1;
  snprintf(link, sizeof link, "fd/%d", number);
  if (fstatat(process, link, &status, 0) != 0) return -1;
  _cleanup_fd_ int fd = is_passed(&status, access) ? take_external(number, donor) : -1;
  *passed = fd >= 0;
  if (fd >= 0 && !allows(fd, access)) return errno = EBADF, -1;
  /* Two that append do not overwrite each other. */
  if (!*passed && is_passed(&status, access) && (S_ISSOCK(status.st_mode) || !appends(process, number)))
    return -1;
  if (!*passed) fd = openat(process, link, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  int kept = fd;
  fd = -1;
  return kept;
}

int open_log_directory(const struct file_target *target) {
  const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  char path[PATH_MAX];
  const char *slash = strrchr(target->path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - target->path);
  if (length >= sizeof path) return errno = ENAMETOOLONG, -1;
  memcpy(path, target->path, length);
  path[length] = '\0';
  if (target->base == NULL) return open_trusted(length == 0 ? "/" : path, flags, NULL);
  _cleanup_fd_ int base = open_base(target);
  if (base < 0) return -1;
  return length == 0 ? openat(base, ".", flags) : open_beneath(base, path, flags);
}

int open_numbered_log(
    const struct file_target *target, const struct spec *spec, int *number, struct failure *failure) {
  const char *slash = strrchr(target->path, '/');
  _cleanup_fd_ int dir = open_log_directory(target);
  int fd =
      dir < 0 ? -1 : numbered_open(dir, slash == NULL ? target->path : slash + 1, spec->log_files, number);
  return fd >= 0 ? fd : fail_at(failure, STAGE_LOG, errno, target, ", numbered");
}

bool log_is_whole(int fd) {
  struct stat status;
  off_t written = lseek(fd, 0, SEEK_CUR);
  return fstat(fd, &status) == 0 && status.st_nlink > 0 && written >= 0 && written <= status.st_size;
}

int open_log(const struct file_target *target, const struct spec *spec, bool pumped,
    const struct identity *donor, int *held, struct failure *failure) {
  if (is_null(target)) {
    int null = open_null(O_WRONLY | O_APPEND);
    return null >= 0 ? null : fail_at(failure, STAGE_LOG, errno, target, "");
  }
  _cleanup_fd_ int base = open_base(target);
  if (target->base != NULL && base < 0) return fail_at(failure, STAGE_LOG, errno, target, "");
  bool created = false, planted = false;
  int external = external_descriptor(target);
  if (pumped && base >= 0) make_room(target, spec);
  bool passed = false;
  _cleanup_fd_ int fd = external < 0 ? open_or_create(base, target->path, &created, &planted)
                                     : open_external(external, donor, O_WRONLY | O_APPEND, &passed);
  struct stat status;
  if (external < 0 && (fd < 0 ? errno == ENXIO : fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode))) {
    /* Closed only when that is open: a reader that waits in open(2) has been woken, and takes an instant
     * without a writer for the end. */
    _cleanup_fd_ int tried = fd;
    fd = open_fifo(base, target->path, held);
  }
  if (fd < 0 || fstat(fd, &status) != 0) return fail_at(failure, STAGE_LOG, errno, target, "");
  int wrong = planted && *held < 0 ? check_planted(&status, spec, pumped) : 0;
  if (wrong != 0) return fail_at(failure, STAGE_LOG, wrong, target, "");
  /* The task's own, so that a program may open /dev/stdout again; one that is rotated it need only read. */
  uid_t owner = pumped ? (uid_t)-1 : spec->uid;
  if (created && spec->has_credentials && fchown(fd, owner, spec->gid) != 0)
    return fail_at(failure, STAGE_LOG, errno, target, ": change of owner");
  if (!passed && fcntl(fd, F_SETFL, O_APPEND) != 0) return fail_at(failure, STAGE_LOG, errno, target, "");
  int kept = fd;
  fd = -1;
  return kept;
}
