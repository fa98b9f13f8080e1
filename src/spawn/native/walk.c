#include "walk.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>
#include "io.h"
#include "system.h"

/* MAX_LINKS: the kernel's own (MAXSYMLINKS, linux/namei.h). The file mode is that of a new log. */
enum { MAX_LINKS = 40, NEW_FILE_MODE = 0640, PROC_MAGIC = 0x9fa0, OVERFLOW_UID = 65534 };

struct walk {
  int dir, links, flags;
  bool inside;
  /* What is still to be gone. */
  char rest[PATH_MAX];
};

static char refused[512];

const char *walk_refused(void) { return refused; }

static int refuse(const struct walk *walk, const char *name, const char *why) {
  char descriptor[32], directory[256];
  snprintf(descriptor, sizeof descriptor, "/proc/self/fd/%d", walk->dir);
  ssize_t length = readlink(descriptor, directory, sizeof directory - 1);
  directory[length < 0 ? 0 : length] = '\0';
  snprintf(refused, sizeof refused, ": %s/%s is a link %s", strcmp(directory, "/") == 0 ? "" : directory,
      name, why);
  errno = ELOOP;
  return -1;
}

/* In a user namespace whoever is not mapped has this number, root of the host above all. */
static bool is_partly_mapped(void) {
  char text[64];
  unsigned long first, host, count;
  if (read_file_at(AT_FDCWD, "/proc/self/uid_map", text, sizeof text) < 0) return false;
  return sscanf(text, "%lu %lu %lu", &first, &host, &count) == 3 &&
         !(first == 0 && host == 0 && count == UINT32_MAX);
}

static bool is_ours(uid_t uid) {
  return uid == 0 || uid == geteuid() || (uid == OVERFLOW_UID && is_partly_mapped());
}

/* NULL: nobody but root and we could have put it there. As foreignIn() in src/alloc/trust.ts. */
static const char *maker_of(const struct walk *walk, const struct stat *link) {
  struct stat dir;
  if (walk->inside) return "in an allocation, where tasks make them";
  if (fstat(walk->dir, &dir) != 0 || !is_ours(dir.st_uid)) return "in a directory of another user's";
  if ((dir.st_mode & S_ISVTX) != 0 && is_ours(link->st_uid)) return NULL;
  bool own_group = dir.st_gid == 0 || (dir.st_gid == getegid() && getegid() == geteuid());
  if ((dir.st_mode & S_IWOTH) != 0 || ((dir.st_mode & S_IWGRP) != 0 && !own_group))
    return "in a directory that others may write in";
  return NULL;
}

static bool is_of_proc(int dir) {
  struct statfs status;
  return fstatfs(dir, &status) == 0 && status.f_type == PROC_MAGIC;
}

static int move_to(struct walk *walk, int next) {
  close_fd(&walk->dir);
  walk->dir = next;
  struct stat logs;
  if (next >= 0 && fstatat(next, "alloc/logs", &logs, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(logs.st_mode))
    walk->inside = true;
  return next < 0 ? -1 : 0;
}

static int start_at_root(struct walk *walk) {
  walk->inside = false;
  return move_to(walk, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/* What the link says comes before `after`, what was to follow it. */
static int follow(struct walk *walk, const char *name, const struct stat *link, const char *after) {
  const char *wrong = maker_of(walk, link);
  if (wrong != NULL) return refuse(walk, name, wrong);
  if (++walk->links > MAX_LINKS) return errno = ELOOP, -1;
  char target[PATH_MAX];
  ssize_t length = readlinkat(walk->dir, name, target, sizeof target);
  if (length < 0) return -1;
  size_t left = strlen(after);
  if ((size_t)length + left + 1 > sizeof target) return errno = ENAMETOOLONG, -1;
  bool absolute = target[0] == '/';
  if (absolute && is_of_proc(walk->dir)) return refuse(walk, name, "of /proc's, which may lead anywhere");
  memcpy(target + length, after, left + 1);
  memcpy(walk->rest, target, (size_t)length + left + 1);
  return absolute ? start_at_root(walk) : 0;
}

static int open_here(const struct walk *walk, const char *name) {
  return openat(walk->dir, name, walk->flags | O_NOFOLLOW, NEW_FILE_MODE);
}

/* One component on: 0 and no *file while there is more to come. */
static int step(struct walk *walk, int *file) {
  const char *start = walk->rest + strspn(walk->rest, "/");
  size_t length = strcspn(start, "/");
  char name[NAME_MAX + 1];
  if (length > NAME_MAX) return errno = ENAMETOOLONG, -1;
  memcpy(name, start, length);
  name[length] = '\0';
  const char *after = start + length;
  bool last = *after == '\0';
  if (length == 0) return (*file = openat(walk->dir, ".", walk->flags, NEW_FILE_MODE)) < 0 ? -1 : 0;
  bool up = strcmp(name, "..") == 0;
  if (up && walk->inside) return refuse(walk, name, "up from what an allocation holds");
  if (up || strcmp(name, ".") == 0) {
    memmove(walk->rest, after, strlen(after) + 1);
    return move_to(walk, openat(walk->dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  if (last && (walk->flags & O_NOFOLLOW) != 0) return (*file = open_here(walk, name)) < 0 ? -1 : 0;
  struct stat status;
  if (fstatat(walk->dir, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return -1;
  if (S_ISLNK(status.st_mode)) return follow(walk, name, &status, after);
  if (last) return (*file = open_here(walk, name)) < 0 ? -1 : 0;
  memmove(walk->rest, after, strlen(after) + 1);
  return move_to(walk, openat(walk->dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/* A path of its own frame: it is rarely needed, and large. */
static OWN_FRAME int walk_to(const char *path, int flags, bool *inside) {
  struct walk walk = {.dir = -1, .flags = flags};
  int file = -1;
  if (strlen(path) >= sizeof walk.rest) return errno = ENAMETOOLONG, -1;
  strcpy(walk.rest, path);
  int done = start_at_root(&walk);
  while (done == 0 && file < 0) done = step(&walk, &file);
  close_fd(&walk.dir);
  if (inside != NULL) *inside = walk.inside;
  return file;
}

int open_trusted(const char *path, int flags, bool *inside) {
  /* Not written where it says so already: each shim would have a page of its own. */
  if (refused[0] != '\0') refused[0] = '\0';
  if (inside == NULL) {
    /* Most paths have no link at all. */
    struct how how = {.flags = (uint64_t)flags,
        .mode = (flags & O_CREAT) != 0 ? NEW_FILE_MODE : 0,
        .resolve = HOW_NO_SYMLINKS | HOW_NO_MAGICLINKS};
    int fd = sys_openat2(AT_FDCWD, path, &how);
    if (fd >= 0 || (errno != ELOOP && errno != ENOSYS && errno != EPERM && errno != EAGAIN)) return fd;
  }
  return walk_to(path, flags, inside);
}
