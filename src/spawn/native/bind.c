#include "bind.h"
#include <stdio.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include "system.h"

void descriptor_path(char path[DESCRIPTOR_PATH], int fd) {
  snprintf(path, DESCRIPTOR_PATH, "/proc/self/fd/%d", fd);
}

int mount_on(int target, const char *source, const char *type, unsigned long flags, const char *options) {
  char path[DESCRIPTOR_PATH];
  descriptor_path(path, target);
  return mount(source, path, type, flags, options);
}

unsigned long kept_flags(int fd) {
  struct statvfs status;
  if (fstatvfs(fd, &status) != 0) return 0;
  unsigned long flags = 0;
  if (status.f_flag & ST_RDONLY) flags |= MS_RDONLY;
  if (status.f_flag & ST_NOSUID) flags |= MS_NOSUID;
  if (status.f_flag & ST_NODEV) flags |= MS_NODEV;
  if (status.f_flag & ST_NOEXEC) flags |= MS_NOEXEC;
  if (status.f_flag & ST_NOATIME) flags |= MS_NOATIME;
  if (status.f_flag & ST_NODIRATIME) flags |= MS_NODIRATIME;
  if (status.f_flag & ST_RELATIME) flags |= MS_RELATIME;
  return flags;
}

bool set_attributes(int tree, uint64_t attributes) {
  struct mount_attributes change = {.set = attributes, .propagation = MS_PRIVATE};
  return sys_mount_setattr(tree, TREE_RECURSIVE, &change) == 0;
}

int bind_new(int tree, int target, uint64_t attributes) {
  return set_attributes(tree, attributes) ? sys_move_mount(tree, target) : -1;
}
