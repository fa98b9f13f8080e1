#include "overlay.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "io.h"
#include "system.h"
#include "walk.h"

enum { BASE_MAX = 160, KEPT_MODE = 07777 };

static int open_directory(int dir, const char *name) {
  return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* There already: from an attempt that came to nothing. */
static bool make_directory(int dir, const char *name) {
  return mkdirat(dir, name, 0700) == 0 || errno == EEXIST;
}

/* The path is plain, and its last component ours to make. */
int overlay_open(const char *path) {
  char above[PATH_MAX];
  const char *name = strrchr(path, '/') + 1;
  size_t length = (size_t)(name - path);
  if (length >= sizeof above) return errno = ENAMETOOLONG, -1;
  memcpy(above, path, length);
  above[length] = '\0';
  _cleanup_fd_ int parent = open_trusted(above, O_PATH | O_DIRECTORY | O_CLOEXEC, NULL);
  if (parent < 0 || !make_directory(parent, name)) return -1;
  _cleanup_fd_ int own = open_directory(parent, name);
  if (own < 0) return -1;
  static const char *const inner[] = {OVERLAY_UPPER, OVERLAY_WORK, OVERLAY_LOWER};
  for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++)
    if (!make_directory(own, inner[i])) return -1;
  return sys_open_tree(own, "", TREE_CLONE | TREE_CLOEXEC | TREE_EMPTY_PATH);
}

/* Where we may not set the attributes that are root's, the overlay's marks are ordinary ones. */
static bool marks_are_users(int upper) {
  static const char trial[] = "trusted.holdfast";
  if (fsetxattr(upper, trial, "", 0, 0) != 0) return errno == EPERM;
  (void)fremovexattr(upper, trial);
  return false;
}

static bool write_base(int top, const struct mount_op *op, bool of_user) {
  struct stat status;
  if (fstat(op->fd, &status) != 0) return false;
  const struct id_map map = op->map == NULL ? (struct id_map){0} : op->map->ids;
  char text[BASE_MAX];
  snprintf(text, sizeof text, "%" PRIu64 " %u %u %d %u %u %u %u %d\n", (uint64_t)status.st_ino, status.st_uid,
      status.st_gid, op->map != NULL, map.owner_uid, map.owner_gid, map.user_uid, map.user_gid, of_user);
  _cleanup_fd_ int file =
      openat(top, OVERLAY_BASE, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  return file >= 0 && write_all(file, text, strlen(text));
}

bool overlay_read_base(int directory, struct overlay_base *base) {
  char text[BASE_MAX];
  struct stat status;
  uint64_t inode;
  unsigned mapped, of_user;
  _cleanup_fd_ int file = openat(directory, OVERLAY_BASE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0 || fstat(file, &status) != 0) return false;
  ssize_t length = read(file, text, sizeof text - 1);
  if (length < 0) return false;
  text[length] = '\0';
  struct id_map *map = &base->map;
  int count = sscanf(text, "%" SCNu64 " %u %u %u %u %u %u %u %u\n", &inode, &base->uid, &base->gid, &mapped,
      &map->owner_uid, &map->owner_gid, &map->user_uid, &map->user_gid, &of_user);
  if (count != 9 || !S_ISREG(status.st_mode)) return errno = EINVAL, false;
  base->inode = (ino_t)inode;
  base->mapped = mapped != 0;
  base->of_user = of_user != 0;
  base->since = status.st_mtim;
  return true;
}

/* EINVAL: a number that has no mapping in this user namespace; EPERM: one that is not an ordinary user's. */
static bool set_owner(int upper, uid_t uid, gid_t gid) {
  return fchown(upper, uid, gid) == 0 || errno == EINVAL || (errno == EPERM && geteuid() != 0);
}

/*
 * The top of an overlay is as `upper` is: as the directory itself is seen through its mapping. An owner or
 * a group that has no number here is our own there.
 */
static bool look_alike(int upper, int lower) {
  struct stat status;
  if (fstat(lower, &status) != 0) return false;
  if (status.st_gid != getegid() && !set_owner(upper, (uid_t)-1, status.st_gid)) return false;
  if (status.st_uid != geteuid() && !set_owner(upper, status.st_uid, (gid_t)-1)) return false;
  return fchmod(upper, status.st_mode & KEPT_MODE) == 0;
}

/* Programs are executed from where the file system of the directory lets them. */
static uint64_t attributes_of(int lower) {
  struct statvfs status;
  bool noexec = fstatvfs(lower, &status) != 0 || (status.f_flag & ST_NOEXEC) != 0;
  return ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV | (noexec ? ATTRIBUTE_NOEXEC : 0u);
}

/* Nothing that the file system may do by default, or was told to do for all, but a name for each file: no
 * file of it stands for another, and none leads elsewhere. */
static int create(bool of_user, uint64_t attributes) {
  static const char *const options[][2] = {{"source", "overlay"}, {"lowerdir", OVERLAY_LOWER},
      {"upperdir", OVERLAY_UPPER}, {"workdir", OVERLAY_WORK}, {"index", "off"}, {"metacopy", "off"},
      {"redirect_dir", "nofollow"}};
  _cleanup_fd_ int context = sys_fsopen("overlay");
  if (context < 0) return -1;
  for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
    if (sys_fsconfig(context, CONFIG_STRING, options[i][0], options[i][1]) != 0) return -1;
  if (of_user && sys_fsconfig(context, CONFIG_FLAG, "userxattr", NULL) != 0) return -1;
  if (sys_fsconfig(context, CONFIG_CREATE, NULL, NULL) != 0) return -1;
  return sys_fsmount(context, attributes);
}

int overlay_make(const struct mount_op *op, int top, const char **step) {
  bool all;
  const uint64_t attributes = attributes_of(op->fd);
  struct mount_attributes change = {.set = ATTRIBUTE_READ_ONLY | attributes, .propagation = MS_PRIVATE};
  *step = "the directory for its changes";
  _cleanup_fd_ int upper = open_directory(top, OVERLAY_UPPER), below = open_directory(top, OVERLAY_LOWER);
  if (upper < 0 || below < 0) return -1;
  const bool of_user = marks_are_users(upper);
  if (!write_base(top, op, of_user)) return -1;
  *step = "its owner's files as the task's";
  if (op->map != NULL && !idmap_apply(op->fd, op->map->fd, &all)) return -1;
  *step = "the directory beneath it";
  if (sys_mount_setattr(op->fd, TREE_RECURSIVE, &change) != 0 || sys_move_mount(op->fd, below) != 0)
    return -1;
  _cleanup_fd_ int lower = open_directory(top, OVERLAY_LOWER);
  *step = "the owner of its directory";
  if (lower < 0 || !look_alike(upper, lower)) return -1;
  *step = "mount";
  return fchdir(top) == 0 ? create(of_user, attributes) : -1;
}
