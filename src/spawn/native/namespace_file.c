#include "namespace_file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "io.h"
#include "walk.h"

/* The field is signed in one libc and unsigned in another. */
static bool is_of(int fd, unsigned type) {
  struct statfs status;
  return fstatfs(fd, &status) == 0 && (unsigned)status.f_type == type;
}

/* What its last component names, not opened yet. */
static int find(const char *path) {
  const char *last = strrchr(path, '/');
  size_t length = last == NULL ? 0 : (size_t)(last - path);
  char parent[PATH_MAX];
  if (length == 0 || length >= sizeof parent) return open_trusted(path, O_PATH | O_CLOEXEC, NULL);
  memcpy(parent, path, length);
  parent[length] = '\0';
  _cleanup_fd_ int dir = open_trusted(parent, O_PATH | O_DIRECTORY | O_CLOEXEC, NULL);
  if (dir < 0) return -1;
  /* The links there are the kernel's, and no task can make one. */
  return is_of(dir, PROC_SUPER_MAGIC) ? openat(dir, last + 1, O_PATH | O_CLOEXEC)
                                      : open_trusted(path, O_PATH | O_CLOEXEC, NULL);
}

int open_namespace(const char *path) {
  _cleanup_fd_ int found = find(path);
  if (found < 0) return -1;
  if (!is_of(found, NSFS_MAGIC)) return errno = EINVAL, -1;
  char descriptor[32];
  snprintf(descriptor, sizeof descriptor, "/proc/self/fd/%d", found);
  return open(descriptor, O_RDONLY | O_CLOEXEC);
}
