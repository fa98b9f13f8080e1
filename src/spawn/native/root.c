#include "root.h"
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "bind.h"
#include "entries.h"
#include "freeze.h"
#include "log.h"
#include "overlay.h"
#include "system.h"
#include "walk.h"

struct builder {
  const struct spec *spec;
  struct failure *failure;
  /* The new root's own tmpfs. */
  int root;
  bool has_mount_setattr;
  /* The top of the last tmpfs that was mounted, for files of our own; -1: none was. */
  int tmpfs;
  int file_count;
  /* The operations to carry out: up to `end`, without it. */
  struct mount_op *first, *end;
};

static int mount_failed(struct builder *builder, const char *path, const char *what) {
  return fail(builder->failure, STAGE_MOUNT, errno, "%s: %s", path, what);
}

/* One component of a path. */
static bool next_component(const char **path, char name[NAME_MAX + 1]) {
  *path += strspn(*path, "/");
  size_t length = strcspn(*path, "/");
  if (length > NAME_MAX) return errno = ENAMETOOLONG, false;
  memcpy(name, *path, length);
  name[length] = '\0';
  *path += length;
  *path += strspn(*path, "/");
  return true;
}

/*
 * The directory in which `at` lies, made where it is missing, and `at`'s last component. Walked by hand and
 * never through a link: what lies below a bind (/local/x) is the task's to arrange, and a link there would
 * lead us, as root, anywhere.
 */
static int open_parent(struct builder *builder, const char *at, bool make, char name[NAME_MAX + 1]) {
  int dir = openat(builder->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  while (dir >= 0 && next_component(&at, name)) {
    if (*at == '\0') return dir;
    int next = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0 && errno == ENOENT && make && (mkdirat(dir, name, 0755) == 0 || errno == EEXIST))
      next = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    close_fd(&dir);
    dir = next;
  }
  close_fd(&dir);
  return -1;
}

/* O_NOFOLLOW with O_PATH opens a link itself; mounting on one must fail, as mount(2) cannot. */
static int open_target(int dir, const char *name) {
  int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat status;
  if (fd >= 0 && (fstat(fd, &status) != 0 || S_ISLNK(status.st_mode))) {
    close_fd(&fd);
    errno = ELOOP;
  }
  return fd;
}

static int make_target(struct builder *builder, const char *at, bool directory) {
  char name[NAME_MAX + 1];
  _cleanup_fd_ int dir = open_parent(builder, at, true, name);
  if (dir < 0) return -1;
  int made = directory ? mkdirat(dir, name, 0755) : mknodat(dir, name, S_IFREG | 0644, 0);
  if (made != 0 && errno != EEXIST) return -1;
  return open_target(dir, name);
}

/* mount(2) over a directory's descriptor, by way of the working directory: a prepared root has no /proc yet.
 */
static int mount_over(int directory, const char *type, unsigned long flags, const char *options) {
  return fchdir(directory) == 0 ? mount(type, ".", type, flags, options) : -1;
}

static int make_dir(struct builder *builder, const struct mount_op *op) {
  char name[NAME_MAX + 1];
  _cleanup_fd_ int dir = open_parent(builder, op->at, true, name);
  if (dir < 0) return mount_failed(builder, op->at, "parent directory");
  if (mkdirat(dir, name, op->mode) == 0) return 0;
  if (errno != EEXIST) return mount_failed(builder, op->at, "directory");
  /* Made before as a parent; only our own tmpfs may hold it, or a bind that we must not change. */
  struct stat status;
  if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return mount_failed(builder, op->at, "directory");
  if (!S_ISDIR(status.st_mode)) return errno = ENOTDIR, mount_failed(builder, op->at, "directory");
  return 0;
}

static int make_symlink(struct builder *builder, const struct mount_op *op) {
  char name[NAME_MAX + 1];
  _cleanup_fd_ int dir = open_parent(builder, op->at, true, name);
  if (dir < 0) return mount_failed(builder, op->at, "parent directory");
  return symlinkat(op->source, dir, name) == 0 ? 0 : mount_failed(builder, op->at, "symbolic link");
}

static int make_node(struct builder *builder, const struct mount_op *op) {
  char name[NAME_MAX + 1];
  _cleanup_fd_ int dir = open_parent(builder, op->at, true, name);
  if (dir < 0) return mount_failed(builder, op->at, "parent directory");
  return mknodat(dir, name, S_IFCHR | 0666, makedev(op->major, op->minor)) == 0
             ? 0
             : mount_failed(builder, op->at, "device node");
}

/*
 * Without mount_setattr (before Linux 5.12) submounts cannot be made read-only in one step, so they are not
 * shown at all: safe, if poorer. The target must be opened anew, for the old descriptor is what lies below
 * the mount.
 */
static int bind_old(
    struct builder *builder, const struct mount_op *op, int source, int target, unsigned long flags) {
  char from[DESCRIPTOR_PATH];
  descriptor_path(from, source);
  if (mount_on(target, from, NULL, MS_BIND, NULL) != 0) return -1;
  char name[NAME_MAX + 1];
  _cleanup_fd_ int dir = open_parent(builder, op->at, false, name);
  _cleanup_fd_ int top = dir < 0 ? -1 : open_target(dir, name);
  return top < 0 ? -1 : mount_on(top, NULL, NULL, MS_REMOUNT | MS_BIND | flags | kept_flags(top), NULL);
}

/* Another directory may have come into its place: whoever that belongs to, its files are not to be handed
 * out. Beneath a base nobody but the tasks puts anything. */
static bool belongs_to_owner(const struct mount_op *op, const struct stat *status) {
  return op->base != NULL ||
         (status->st_uid == op->map->ids.owner_uid && status->st_gid == op->map->ids.owner_gid);
}

static int bind_mapped(
    const struct mount_op *op, const struct stat *status, int target, uint64_t attributes) {
  bool all;
  if (!belongs_to_owner(op, status)) return errno = ESTALE, -1;
  /* A mapping cannot be changed any more where there is one, nor anything of a mount that somebody sees. */
  if (!idmap_apply(op->fd, op->map->fd, &all)) return -1;
  return bind_new(op->fd, target, attributes);
}

static int make_bind(struct builder *builder, const struct mount_op *op) {
  struct stat status;
  if (fstat(op->fd, &status) != 0) return mount_failed(builder, op->source, "source");
  _cleanup_fd_ int target = make_target(builder, op->at, S_ISDIR(status.st_mode));
  if (target < 0) return mount_failed(builder, op->at, "target of a bind");
  const uint64_t attributes =
      ATTRIBUTE_NOSUID | (op->read_only ? ATTRIBUTE_READ_ONLY : 0u) | (op->devices ? 0u : ATTRIBUTE_NODEV);
  int done;
  if (op->map != NULL && !builder->has_mount_setattr) done = (errno = ENOSYS, -1);
  else if (op->map != NULL) done = bind_mapped(op, &status, target, attributes);
  else if (builder->has_mount_setattr) done = bind_new(op->fd, target, attributes);
  else
    done = bind_old(builder, op, op->fd, target,
        MS_NOSUID | (op->read_only ? MS_RDONLY : 0ul) | (op->devices ? 0ul : MS_NODEV));
  return done == 0 ? 0 : fail(builder->failure, STAGE_MOUNT, errno, "%s: bind of %s", op->at, op->source);
}

/* A tmpfs that is to hold device nodes must let them work. */
static bool holds_nodes(const struct mount_op *tmpfs) {
  size_t length = strlen(tmpfs->at);
  for (const struct mount_op *op = tmpfs->next; op != NULL; op = op->next)
    if (op->kind == MOUNT_NODE && strncmp(op->at, tmpfs->at, length) == 0 && op->at[length] == '/')
      return true;
  return false;
}

/* What is there: the top of a mount, where there is one. */
static int open_in_place(struct builder *builder, const char *at) {
  char name[NAME_MAX + 1];
  _cleanup_fd_ int dir = open_parent(builder, at, false, name);
  return dir < 0 ? -1 : open_target(dir, name);
}

/*
 * An empty file takes a kilobyte of the kernel's, which no size counts, and by default as many are allowed as
 * half of memory has pages. As many as there are pages of its own are enough for whoever writes something in
 * each.
 */
enum { TMPFS_PAGE = 4096, TMPFS_INODES_LEAST = 1024 };

static unsigned long long inodes_of(uint64_t size) {
  uint64_t pages = size / TMPFS_PAGE;
  return pages < TMPFS_INODES_LEAST ? TMPFS_INODES_LEAST : pages;
}

static int make_tmpfs(struct builder *builder, const struct mount_op *op) {
  _cleanup_fd_ int target = make_target(builder, op->at, true);
  if (target < 0) return mount_failed(builder, op->at, "target of a tmpfs");
  char options[96];
  snprintf(options, sizeof options, "size=%llu,nr_inodes=%llu,mode=%o", (unsigned long long)op->size,
      inodes_of(op->size), (unsigned)op->mode);
  unsigned long flags = MS_NOSUID | (holds_nodes(op) ? 0ul : MS_NODEV);
  if (mount_over(target, "tmpfs", flags, options) != 0) return mount_failed(builder, op->at, "tmpfs");
  close_fd(&builder->tmpfs);
  builder->tmpfs = open_in_place(builder, op->at);
  return builder->tmpfs >= 0 ? 0 : mount_failed(builder, op->at, "tmpfs");
}

/* Terminals of the task's own: an instance apart from the host's. As many as `max`, for the kernel has a
 * number of them for all (kernel.pty.max). */
static int make_pts(struct builder *builder, const struct mount_op *op) {
  _cleanup_fd_ int target = make_target(builder, op->at, true);
  if (target < 0) return mount_failed(builder, op->at, "target of the terminals");
  char options[96];
  int length = snprintf(options, sizeof options, "newinstance,ptmxmode=0666,mode=0620,max=256");
  if (op->gid >= 0)
    snprintf(options + length, sizeof options - (size_t)length, ",gid=%llu", (unsigned long long)op->gid);
  return mount_over(target, "devpts", MS_NOSUID | MS_NOEXEC, options) == 0
             ? 0
             : mount_failed(builder, op->at, "terminals");
}

/* The POSIX message queues of the namespace that we are in; who opens one by name passes this very root. */
static int make_mqueue(struct builder *builder, const struct mount_op *op) {
  _cleanup_fd_ int target = make_target(builder, op->at, true);
  if (target < 0) return mount_failed(builder, op->at, "target of the message queues");
  return mount_over(target, "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0
             ? 0
             : mount_failed(builder, op->at, "message queues");
}

static bool copy_file(int from, int to) {
  char bytes[4096];
  ssize_t count;
  while ((count = read(from, bytes, sizeof bytes)) > 0)
    if (!write_all(to, bytes, (size_t)count)) return false;
  return count == 0;
}

static bool write_secret(int dir, const struct secret *secret, const struct spec *spec) {
  _cleanup_fd_ int file =
      openat(dir, secret->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
  if (file < 0 || !write_all(file, secret->bytes, secret->size)) return false;
  return !spec->has_credentials || fchown(file, spec->uid, spec->gid) == 0;
}

/*
 * A ramfs of its own: what is written there is never swapped, and nowhere else. It knows no size and no
 * number of files, and so is read-only before anybody else can write.
 */
static int make_secrets(struct builder *builder, const struct mount_op *op) {
  const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  const struct spec *spec = builder->spec;
  _cleanup_fd_ int target = make_target(builder, op->at, true);
  if (target < 0) return mount_failed(builder, op->at, "target of the secrets");
  if (mount_over(target, "ramfs", flags, "mode=0500") != 0)
    return mount_failed(builder, op->at, "memory for secrets");
  _cleanup_fd_ int dir = open_in_place(builder, op->at);
  if (dir < 0) return mount_failed(builder, op->at, "secrets");
  for (const struct secret *secret = spec->secrets; secret != NULL; secret = secret->next)
    if (!write_secret(dir, secret, spec))
      return fail(builder->failure, STAGE_MOUNT, errno, "%s/%s: secret", op->at, secret->name);
  if (spec->has_credentials && fchownat(dir, "", spec->uid, spec->gid, AT_EMPTY_PATH) != 0)
    return mount_failed(builder, op->at, "owner of the secrets");
  if (mount_over(dir, NULL, MS_REMOUNT | MS_RDONLY | flags, NULL) != 0)
    return mount_failed(builder, op->at, "secrets read-only");
  return 0;
}

/* In the last tmpfs, which another mount then covers: seen by nobody but through the mount at its place. */
static int make_file(struct builder *builder, const struct mount_op *op) {
  char name[16];
  snprintf(name, sizeof name, "%d", builder->file_count++);
  _cleanup_fd_ int file =
      openat(builder->tmpfs, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (file < 0) return mount_failed(builder, op->at, "file");
  if ((op->fd >= 0 && !copy_file(op->fd, file)) || !write_all(file, op->text, strlen(op->text)))
    return mount_failed(builder, op->at, "content");
  _cleanup_fd_ int target = open_in_place(builder, op->at);
  if (target < 0) return mount_failed(builder, op->at, "target of a file");
  int done;
  if (builder->has_mount_setattr) {
    _cleanup_fd_ int tree = sys_open_tree(file, "", TREE_CLONE | TREE_CLOEXEC | TREE_EMPTY_PATH);
    done = tree < 0 ? -1 : bind_new(tree, target, ATTRIBUTE_READ_ONLY | ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV);
  } else done = bind_old(builder, op, file, target, MS_RDONLY | MS_NOSUID | MS_NODEV);
  return done == 0 ? 0 : mount_failed(builder, op->at, "file");
}

static int make_proc(struct builder *builder, const struct mount_op *op) {
  _cleanup_fd_ int target = make_target(builder, op->at, true);
  if (target < 0) return mount_failed(builder, op->at, "target of proc");
  return mount_over(target, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0
             ? 0
             : mount_failed(builder, op->at, "proc");
}

/* What mask and readonly act on; *absent when it is not there. */
static int open_existing(struct builder *builder, const char *at, bool *absent) {
  char name[NAME_MAX + 1];
  _cleanup_fd_ int dir = open_parent(builder, at, false, name);
  int target = dir < 0 ? -1 : open_target(dir, name);
  *absent = target < 0 && errno == ENOENT;
  return target;
}

/* Read-only: a task of root's user owns the host's /dev/null, and could change its mode through the mask. */
static int mask_file(struct builder *builder, const struct mount_op *op, int target) {
  if (!builder->has_mount_setattr) {
    _cleanup_fd_ int null = open("/dev/null", O_PATH | O_CLOEXEC);
    return null < 0 ? -1 : bind_old(builder, op, null, target, MS_RDONLY | MS_NOSUID | MS_NOEXEC);
  }
  _cleanup_fd_ int tree = sys_open_tree(AT_FDCWD, "/dev/null", TREE_CLONE | TREE_CLOEXEC);
  return tree < 0 ? -1 : bind_new(tree, target, ATTRIBUTE_READ_ONLY | ATTRIBUTE_NOSUID | ATTRIBUTE_NOEXEC);
}

static int make_mask(struct builder *builder, const struct mount_op *op) {
  bool absent;
  _cleanup_fd_ int target = open_existing(builder, op->at, &absent);
  struct stat status;
  if (absent) return 0;
  if (target < 0 || fstat(target, &status) != 0) return mount_failed(builder, op->at, "mask");
  int done = S_ISDIR(status.st_mode) ? mount_over(target, "tmpfs",
                                           MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=0755")
                                     : mask_file(builder, op, target);
  /* Where its owner has no number and we may not enter, a task of the same user, who has less, may not enter
   * either. */
  if (done != 0 && errno == EACCES && S_ISDIR(status.st_mode) && !builder->spec->has_credentials) return 0;
  return done == 0 ? 0 : mount_failed(builder, op->at, "mask");
}

static int make_readonly(struct builder *builder, const struct mount_op *op) {
  bool absent;
  _cleanup_fd_ int target = open_existing(builder, op->at, &absent);
  if (absent) return 0;
  if (target < 0) return mount_failed(builder, op->at, "read-only");
  int done;
  if (builder->has_mount_setattr) {
    _cleanup_fd_ int tree =
        sys_open_tree(target, "", TREE_CLONE | TREE_CLOEXEC | TREE_RECURSIVE | TREE_EMPTY_PATH);
    done = tree < 0 ? -1 : bind_new(tree, target, ATTRIBUTE_READ_ONLY);
  } else done = bind_old(builder, op, target, target, MS_RDONLY);
  return done == 0 ? 0 : mount_failed(builder, op->at, "read-only");
}

/* Of a mapped workspace: there is a mount_setattr. */
static int make_freeze(struct builder *builder, const struct mount_op *op) {
  _cleanup_fd_ int target = open_in_place(builder, op->at);
  return target >= 0 && freeze_programs(target)
             ? 0
             : mount_failed(builder, op->at, "programs that run with their owner's rights");
}

/* The directory is of our own tmpfs, made before: nothing of the host's gets a place. */
static int make_entries(struct builder *builder, const struct mount_op *op) {
  char name[NAME_MAX + 1];
  _cleanup_fd_ int target = open_in_place(builder, op->at);
  if (target < 0) return mount_failed(builder, op->at, "target of a directory's entries");
  if (entries_show(op->fd, target, builder->has_mount_setattr, name)) return 0;
  return fail(builder->failure, STAGE_MOUNT, errno, "%s: bind of %s/%s", op->at, op->source, name);
}

static int overlay_failed(struct builder *builder, const struct mount_op *op, const char *step) {
  return fail(builder->failure, STAGE_OVERLAY, errno, "%s: %s", op->at, step);
}

/*
 * The overlay is put together on its place, from parts that lie there only meanwhile: neither the directory
 * itself nor what holds the changes is anywhere in the task's root, below nothing either.
 */
static int make_overlay(struct builder *builder, const struct mount_op *op) {
  const char *step = "";
  struct stat status;
  if (!builder->has_mount_setattr) return errno = ENOSYS, overlay_failed(builder, op, "mount_setattr");
  if (fstat(op->fd, &status) != 0) return overlay_failed(builder, op, "source");
  if (op->map != NULL && !belongs_to_owner(op, &status))
    return errno = ESTALE, overlay_failed(builder, op, "source");
  _cleanup_fd_ int target = make_target(builder, op->at, true);
  if (target < 0 || sys_move_mount(op->state_fd, target) != 0) return overlay_failed(builder, op, "target");
  _cleanup_fd_ int top = open_in_place(builder, op->at);
  if (top < 0) return overlay_failed(builder, op, "target");
  _cleanup_fd_ int made = overlay_make(op, top, &step);
  if (made < 0) return overlay_failed(builder, op, step);
  if (fchdir(top) != 0 || umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
    return overlay_failed(builder, op, "its parts");
  return sys_move_mount(made, target) == 0 ? 0 : overlay_failed(builder, op, "target");
}

static int make(struct builder *builder, const struct mount_op *op) {
  switch (op->kind) {
    case MOUNT_DIR: return make_dir(builder, op);
    case MOUNT_SYMLINK: return make_symlink(builder, op);
    case MOUNT_BIND: return make_bind(builder, op);
    case MOUNT_TMPFS: return make_tmpfs(builder, op);
    case MOUNT_PROC: return make_proc(builder, op);
    case MOUNT_NODE: return make_node(builder, op);
    case MOUNT_MASK: return make_mask(builder, op);
    case MOUNT_READONLY: return make_readonly(builder, op);
    case MOUNT_PTS: return make_pts(builder, op);
    case MOUNT_FILE: return make_file(builder, op);
    case MOUNT_SECRETS: return make_secrets(builder, op);
    case MOUNT_FREEZE: return make_freeze(builder, op);
    case MOUNT_MQUEUE: return make_mqueue(builder, op);
    case MOUNT_OVERLAY: return make_overlay(builder, op);
    case MOUNT_ENTRIES: return make_entries(builder, op);
  }
  return -1;
}

/* A found source as the mount it will be. */
static int tree_of(struct builder *builder, int *found) {
  if (*found >= 0 && builder->has_mount_setattr)
    return sys_open_tree(*found, "", TREE_CLONE | TREE_CLOEXEC | TREE_RECURSIVE | TREE_EMPTY_PATH);
  int kept = *found;
  *found = -1;
  return kept;
}

/* As a directory first: only then is one mounted that waits for its first use (autofs). */
static int open_source(struct builder *builder, const struct mount_op *op) {
  _cleanup_fd_ int found = open_trusted(op->source, O_PATH | O_DIRECTORY | O_CLOEXEC, NULL);
  if (found < 0 && errno == ENOTDIR) found = open_trusted(op->source, O_PATH | O_CLOEXEC, NULL);
  return tree_of(builder, &found);
}

/* What lies beneath the base a task may have arranged: found first, without links, and only then cloned, from
 * the descriptor. */
static int open_source_beneath(struct builder *builder, const struct mount_op *op) {
  _cleanup_fd_ int base = open_trusted(op->base, O_PATH | O_DIRECTORY | O_CLOEXEC, NULL);
  if (base < 0) return -1;
  _cleanup_fd_ int found = open_beneath(base, op->source + strlen(op->base) + 1, O_PATH | O_CLOEXEC);
  return tree_of(builder, &found);
}

/* All sources are opened while the host is still in view: the new root is mounted over a directory, and a
 * source may lie beneath that. */
static int open_sources(struct builder *builder) {
  for (struct mount_op *op = builder->first; op != builder->end; op = op->next) {
    if (op->kind == MOUNT_FILE && op->source != NULL)
      op->fd = open(op->source, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    else if (op->kind == MOUNT_OVERLAY) {
      op->fd = open_source(builder, op);
      if (op->fd >= 0 && (op->state_fd = overlay_open(op->state)) < 0)
        return fail(builder->failure, STAGE_OVERLAY, errno, "%s", op->state);
    } else if (op->kind == MOUNT_ENTRIES)
      op->fd = open_trusted(op->source, O_RDONLY | O_DIRECTORY | O_CLOEXEC, NULL);
    else if (op->kind != MOUNT_BIND) continue;
    else op->fd = op->base != NULL ? open_source_beneath(builder, op) : open_source(builder, op);
    const bool walked = (op->kind == MOUNT_BIND && op->base == NULL) || op->kind == MOUNT_OVERLAY ||
                        op->kind == MOUNT_ENTRIES;
    const char *refused = walked ? walk_refused() : "";
    if (op->fd < 0) return fail(builder->failure, STAGE_MOUNT, errno, "%s%s", op->source, refused);
  }
  return 0;
}

/* pivot_root(".", ".") stacks the old root on the new one, where it can be detached without a directory to
 * hold it: pivot_root(2), NOTES. */
static int swap_roots(struct builder *builder) {
  if (fchdir(builder->root) != 0 || sys_pivot_root(".", ".") != 0)
    return mount_failed(builder, "/", "pivot_root");
  if (umount2(".", MNT_DETACH) != 0) return mount_failed(builder, "/", "detaching the host's root");
  if (chdir("/") != 0) return mount_failed(builder, "/", "chdir");
  if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, NULL) != 0)
    return mount_failed(builder, "/", "read-only");
  return 0;
}

static int make_all(struct builder *builder) {
  /* Modes are given exactly; the task's own umask comes later. */
  umask(0);
  for (struct mount_op *op = builder->first; op != builder->end; op = op->next) {
    if (make(builder, op) != 0) return -1;
    close_fd(&op->fd);
    close_fd(&op->state_fd);
  }
  close_fd(&builder->tmpfs);
  return 0;
}

static int build(struct builder *builder) {
  if (open_sources(builder) != 0) return -1;
  /* Over the task's directory: it exists, and no bind needs it any more. */
  const char *dir = builder->spec->dir;
  if (mount("tmpfs", dir, "tmpfs", MS_NOSUID, "size=1m,mode=0755") != 0)
    return mount_failed(builder, dir, "new root");
  _cleanup_fd_ int root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return mount_failed(builder, dir, "new root");
  builder->root = root;
  return make_all(builder) == 0 ? swap_roots(builder) : -1;
}

/* Our own copy of the prepared root is the root already. */
static int complete(struct builder *builder) {
  _cleanup_fd_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return mount_failed(builder, "/", "prepared root");
  builder->root = root;
  if (make_all(builder) != 0) return -1;
  return chdir("/") == 0 ? 0 : mount_failed(builder, "/", "chdir");
}

int root_enter(const struct spec *spec, bool has_mount_setattr, struct failure *failure) {
  struct builder builder = {.spec = spec,
      .failure = failure,
      .root = -1,
      .tmpfs = -1,
      .has_mount_setattr = has_mount_setattr,
      .first = spec->root};
  if (spec->prepared_root >= 0) {
    builder.first = *spec->root_own;
    return complete(&builder);
  }
  /* Nothing of ours may travel back to the host, nor the host's new mounts to us. */
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    return mount_failed(&builder, "/", "private propagation");
  return spec->root == NULL ? 0 : build(&builder);
}

int root_join(const struct spec *spec, struct failure *failure) {
  struct builder builder = {.spec = spec,
      .failure = failure,
      .root = -1,
      .tmpfs = -1,
      .has_mount_setattr = true,
      .first = *spec->root_own};
  if (open_sources(&builder) != 0) return -1;
  return setns(spec->prepared_root, CLONE_NEWNS) == 0 ? 0 : mount_failed(&builder, "/", "prepared root");
}

bool root_prepare(const struct spec *spec) {
  struct failure failure = {.stage = STAGE_NONE};
  struct builder builder = {.spec = spec,
      .failure = &failure,
      .root = -1,
      .tmpfs = -1,
      .has_mount_setattr = true,
      .first = spec->root,
      .end = *spec->root_own};
  if (build(&builder) != 0) return false;
  /* Not the mount alone: there is no way at all to write there. */
  return mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID, NULL) == 0;
}
