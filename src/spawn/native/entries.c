#include "entries.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "bind.h"
#include "directory.h"
#include "system.h"

static int open_entry(int dir, const char *name) {
  return openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

static bool show_link(int link, int target, const char *name) {
  char to[PATH_MAX];
  ssize_t length = readlinkat(link, "", to, sizeof to - 1);
  if (length < 0) return false;
  to[length] = '\0';
  return symlinkat(to, target, name) == 0 || errno == EEXIST;
}

static bool show_new(int entry, int place) {
  _cleanup_fd_ int tree =
      sys_open_tree(entry, "", TREE_CLONE | TREE_CLOEXEC | TREE_RECURSIVE | TREE_EMPTY_PATH);
  return tree >= 0 && bind_new(tree, place, ATTRIBUTE_READ_ONLY | ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV) == 0;
}

/* As bind_old() in root.c. */
static bool show_old(int entry, int place, int target, const char *name) {
  char from[DESCRIPTOR_PATH];
  descriptor_path(from, entry);
  if (mount_on(place, from, NULL, MS_BIND, NULL) != 0) return false;
  _cleanup_fd_ int top = open_entry(target, name);
  const unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV;
  return top >= 0 && mount_on(top, NULL, NULL, flags | kept_flags(top), NULL) == 0;
}

static bool show(int source, int target, const char *name, bool has_mount_setattr) {
  struct stat status;
  _cleanup_fd_ int entry = open_entry(source, name);
  if (entry < 0) return errno == ENOENT;
  if (fstat(entry, &status) != 0) return false;
  if (S_ISLNK(status.st_mode)) return show_link(entry, target, name);
  int made = S_ISDIR(status.st_mode) ? mkdirat(target, name, 0755) : mknodat(target, name, S_IFREG | 0644, 0);
  if (made != 0) return errno == EEXIST;
  _cleanup_fd_ int place = open_entry(target, name);
  if (place < 0) return false;
  return has_mount_setattr ? show_new(entry, place) : show_old(entry, place, target, name);
}

/* An access control list (acl(5)) that keeps somebody out whom the mode lets in: an entry for a user, a group
 * or others without reading or entering. */
static bool list_denies(int directory) {
  struct {
    uint16_t tag, rights;
    uint32_t id;
  } entry;
  enum { OWNER = 1, READ_AND_ENTER = 5, MAX_LIST = 8192 };
  char path[DESCRIPTOR_PATH], list[MAX_LIST];
  descriptor_path(path, directory);
  ssize_t size = getxattr(path, "system.posix_acl_access", list, sizeof list);
  if (size < 0) return errno != ENODATA && errno != EOPNOTSUPP;
  for (size_t at = sizeof(uint32_t); at + sizeof entry <= (size_t)size; at += sizeof entry) {
    memcpy(&entry, list + at, sizeof entry);
    if (entry.tag != OWNER && (entry.rights & READ_AND_ENTER) != READ_AND_ENTER) return true;
  }
  return false;
}

/* Of it, or of a directory above it. -1 with errno. */
static int is_denied(int directory) {
  _cleanup_fd_ int at = openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (struct stat here, above; at >= 0;) {
    if (list_denies(at)) return 1;
    int next = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fstat(at, &here) != 0 || next < 0) return -1;
    close(at);
    at = next;
    if (fstat(at, &above) != 0) return -1;
    if (here.st_dev == above.st_dev && here.st_ino == above.st_ino) return 0;
  }
  return -1;
}

bool entries_show(int source, int target, bool has_mount_setattr, char failed[NAME_MAX + 1]) {
  failed[0] = '\0';
  /* As one whose mode lets not everybody in: shown entry by entry it would keep nobody out. */
  const int denied = is_denied(source);
  if (denied != 0) return denied > 0;
  CLEANUP(close_directory) DIR *entries = entries_of(source);
  if (entries == NULL) return false;
  for (const struct dirent *entry; errno = 0, (entry = readdir(entries)) != NULL;) {
    if (is_dots(entry->d_name) || show(source, target, entry->d_name, has_mount_setattr)) continue;
    snprintf(failed, NAME_MAX + 1, "%s", entry->d_name);
    return false;
  }
  return errno == 0;
}
