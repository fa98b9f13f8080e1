#include "freeze.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "directory.h"
#include "io.h"
#include "system.h"

/* Each level takes a descriptor and some of the stack. */
enum { DEEPEST = 256, SET_ID = S_ISUID | S_ISGID };

static bool has_capabilities(int file) {
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  return getxattr(path, "security.capability", NULL, 0) > 0;
}

static bool is_any(mode_t mode, mode_t bits) { return (mode & bits) != 0; }

static bool freeze_file(int file) {
  struct mount_attributes change = {
      .set = ATTRIBUTE_READ_ONLY | ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV, .propagation = MS_PRIVATE};
  _cleanup_fd_ int tree = sys_open_tree(file, "", TREE_CLONE | TREE_CLOEXEC | TREE_EMPTY_PATH);
  return tree >= 0 && sys_mount_setattr(tree, 0, &change) == 0 && sys_move_mount(tree, file) == 0;
}

/* What has gone meanwhile is nobody's program any more. */
static bool is_gone(int error) { return error == ENOENT || error == ELOOP || error == ENOTDIR; }

static bool look_at(int directory, const char *name) {
  struct stat status;
  if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) return is_gone(errno);
  if (!S_ISREG(status.st_mode) || !is_any(status.st_mode, SET_ID | 0111)) return true;
  _cleanup_fd_ int file = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) return is_gone(errno);
  return is_any(status.st_mode, SET_ID) || has_capabilities(file) ? freeze_file(file) : true;
}

/* 1: a directory, 0: none, -1: errno. */
static int is_directory(int directory, const struct dirent *entry) {
  struct stat status;
  if (entry->d_type != DT_UNKNOWN) return entry->d_type == DT_DIR;
  if (fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0)
    return is_gone(errno) ? 0 : -1;
  return S_ISDIR(status.st_mode);
}

static bool walk_in(int directory, int depth);

static bool enter(int directory, const char *name, int depth) {
  if (depth == DEEPEST) return errno = ELOOP, false;
  int inner = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return inner < 0 ? is_gone(errno) : walk_in(inner, depth + 1);
}

/* Takes the descriptor. */
static bool walk_in(int directory, int depth) {
  CLEANUP(close_directory) DIR *entries = fdopendir(directory);
  if (entries == NULL) {
    close_fd(&directory);
    return false;
  }
  for (const struct dirent *entry; errno = 0, (entry = readdir(entries)) != NULL;) {
    if (is_dots(entry->d_name)) continue;
    int inner = is_directory(directory, entry);
    if (inner < 0 || !(inner ? enter(directory, entry->d_name, depth) : look_at(directory, entry->d_name)))
      return false;
  }
  return errno == 0;
}

bool freeze_programs(int directory) {
  int top = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return top >= 0 && walk_in(top, 0);
}
