#include "replace.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "directory.h"
#include "io.h"
#include "system.h"

enum { DEEPEST = 200, CHUNK = 65536 };

struct owner owner_of(const struct stat *status, const struct overlay_base *base) {
  struct owner owner = {.ours = base->of_user, .uid = status->st_uid, .gid = status->st_gid};
  if (!base->mapped) return owner;
  const struct id_map *map = &base->map;
  if (owner.uid == map->user_uid) owner.uid = map->owner_uid;
  else if (owner.uid == map->owner_uid) owner.uid = map->user_uid;
  if (owner.gid == map->user_gid) owner.gid = map->owner_gid;
  else if (owner.gid == map->owner_gid) owner.gid = map->user_gid;
  return owner;
}

/* A name in a directory, and nothing that it leads to. */
static int open_beneath(int directory, const char *name, int flags) {
  struct how how = {.flags = (uint64_t)(unsigned)(flags | O_NOFOLLOW | O_CLOEXEC),
      .resolve = HOW_BENEATH | HOW_NO_SYMLINKS | HOW_NO_MAGICLINKS | HOW_NO_XDEV};
  int fd = sys_openat2(directory, name, &how);
  for (int again = 0; fd < 0 && errno == EAGAIN && again < 8; again++)
    fd = sys_openat2(directory, name, &how);
  return fd;
}

int open_inner(int directory, const char *name) {
  return open_beneath(directory, name, O_RDONLY | O_DIRECTORY);
}

/* By its own descriptor: whoever puts something else there changes nothing of what is opened. */
static int open_found(int found) {
  char self[32];
  snprintf(self, sizeof self, "/proc/self/fd/%d", found);
  int file = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  /* Not the file: it would be taken for one that is gone. */
  if (file < 0 && errno == ENOENT) errno = ENXIO;
  return file;
}

/* What it is, is seen before it is opened: to open a device does something already. */
int open_file(int directory, const char *name, struct stat *status) {
  _cleanup_fd_ int found = open_beneath(directory, name, O_PATH);
  if (found < 0 || fstat(found, status) != 0) return -1;
  return S_ISREG(status->st_mode) ? open_found(found) : (errno = ENOENT, -1);
}

static ssize_t read_chunk(int file, char chunk[CHUNK], off_t at) {
  ssize_t count, used = 0;
  while (used < CHUNK && (count = pread(file, chunk + used, (size_t)(CHUNK - used), at + used)) != 0) {
    if (count < 0 && errno != EINTR) return -1;
    if (count > 0) used += count;
  }
  return used;
}

OWN_FRAME int same_contents(int file, const struct stat *status, int directory, const char *name) {
  static char one[CHUNK], other[CHUNK];
  struct stat there;
  _cleanup_fd_ int second = open_file(directory, name, &there);
  if (second < 0) return errno == ENOENT ? 0 : -1;
  if (there.st_size != status->st_size) return 0;
  for (off_t at = 0; at < there.st_size; at += CHUNK) {
    ssize_t count = read_chunk(file, one, at), more = read_chunk(second, other, at);
    if (count < 0 || more < 0) return -1;
    if (count != more || memcmp(one, other, (size_t)count) != 0) return 0;
    if (count < CHUNK) break;
  }
  return 1;
}

static bool write_all_at(int file, const char *bytes, size_t size, off_t at) {
  while (size > 0) {
    ssize_t count = pwrite(file, bytes, size, at);
    if (count < 0 && errno != EINTR) return false;
    if (count <= 0) continue;
    bytes += count;
    size -= (size_t)count;
    at += count;
  }
  return true;
}

/* From `start` to `end`, or to where the file ends by now. */
static OWN_FRAME bool copy_range(int from, int to, off_t start, off_t end) {
  static char chunk[CHUNK];
  for (off_t at = start; at < end;) {
    ssize_t count = read_chunk(from, chunk, at);
    if (count <= 0) return count == 0;
    if (!write_all_at(to, chunk, (size_t)count, at)) return false;
    at += count;
  }
  return true;
}

/* Its blocks shared, where the file system can; else what is not a hole: a task's file may claim any size. */
static bool copy_contents(int from, int to, off_t size) {
  if (ioctl(to, FICLONE, from) == 0) return true;
  if (ftruncate(to, size) != 0) return false;
  for (off_t at = 0; at < size;) {
    off_t data = lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) return true;
    if (data < 0) return copy_range(from, to, at, size);
    off_t hole = lseek(from, data, SEEK_HOLE);
    if (hole < 0 || hole > size) hole = size;
    if (!copy_range(from, to, data, hole)) return false;
    at = hole;
  }
  return true;
}

static bool give(int file, const struct owner *owner) {
  struct stat status;
  if (owner->ours) return true;
  if (fstat(file, &status) != 0) return false;
  if (status.st_uid == owner->uid && status.st_gid == owner->gid) return true;
  return fchown(file, owner->uid, owner->gid) == 0;
}

static bool is_directory(int directory, const char *name) {
  struct stat status;
  return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

/* Takes the temporary name away again where that does not work. */
static bool move_to(int directory, const char *temporary, const char *name) {
  if ((!is_directory(directory, name) || remove_tree(directory, name)) &&
      renameat(directory, temporary, directory, name) == 0)
    return true;
  int error = errno;
  (void)unlinkat(directory, temporary, 0);
  errno = error;
  return false;
}

static bool fill(int to, int from, const struct stat *status, const struct owner *owner) {
  const struct timespec times[2] = {status->st_atim, status->st_mtim};
  return copy_contents(from, to, status->st_size) && give(to, owner) &&
         fchmod(to, status->st_mode & REPLACED_MODE) == 0 && futimens(to, times) == 0;
}

bool replace_file(int file, const struct stat *status, const struct owner *owner, int directory,
    const char *temporary, const char *name) {
  _cleanup_fd_ int made =
      openat(directory, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (made < 0) return false;
  if (fill(made, file, status, owner)) return move_to(directory, temporary, name);
  int error = errno;
  (void)unlinkat(directory, temporary, 0);
  errno = error;
  return false;
}

bool replace_link(
    const char *text, const struct owner *owner, int directory, const char *temporary, const char *name) {
  if (symlinkat(text, directory, temporary) != 0) return false;
  if (owner->ours || fchownat(directory, temporary, owner->uid, owner->gid, AT_SYMLINK_NOFOLLOW) == 0)
    return move_to(directory, temporary, name);
  int error = errno;
  (void)unlinkat(directory, temporary, 0);
  errno = error;
  return false;
}

/* A file or a link makes room for it; into a directory it is never moved. */
static bool directory_to(int directory, const char *temporary, const char *name) {
  if (renameat(directory, temporary, directory, name) == 0) return true;
  return errno == ENOTDIR && unlinkat(directory, name, 0) == 0 &&
         renameat(directory, temporary, directory, name) == 0;
}

int replace_by_directory(const struct owner *owner, int directory, const char *temporary, const char *name) {
  if (mkdirat(directory, temporary, 0700) != 0) return -1;
  int made = open_inner(directory, temporary);
  if (made >= 0 && give(made, owner) && directory_to(directory, temporary, name)) return made;
  int error = errno;
  (void)unlinkat(directory, temporary, AT_REMOVEDIR);
  errno = error;
  close_fd(&made);
  return -1;
}

/* A group that comes from the directory above goes on to what lies in it. */
bool finish_mode(int directory, const struct stat *status) {
  struct stat own;
  return fstat(directory, &own) == 0 &&
         fchmod(directory, (status->st_mode & REPLACED_MODE) | (own.st_mode & ~(mode_t)S_IFMT & ~0777u)) == 0;
}

static bool remove_at(int directory, const char *name, int depth);

static bool empty(int directory, int depth) {
  CLEANUP(close_directory) DIR *entries = entries_of(directory);
  if (entries == NULL) return false;
  for (const struct dirent *entry; errno = 0, (entry = readdir(entries)) != NULL;) {
    if (is_dots(entry->d_name)) continue;
    if (!remove_at(directory, entry->d_name, depth)) return false;
  }
  return errno == 0;
}

static bool remove_at(int directory, const char *name, int depth) {
  if (!is_directory(directory, name)) return unlinkat(directory, name, 0) == 0 || errno == ENOENT;
  if (depth == DEEPEST) return errno = ELOOP, false;
  _cleanup_fd_ int inner = open_inner(directory, name);
  return inner >= 0 && empty(inner, depth + 1) && unlinkat(directory, name, AT_REMOVEDIR) == 0;
}

bool remove_tree(int directory, const char *name) { return remove_at(directory, name, 0); }
