#include "disk.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "io.h"
#include "project.h"

/* struct loop_config of Linux 5.8, which older headers lack. */
struct loop_setting {
  uint32_t fd, block_size;
  struct loop_info64 info;
  uint64_t reserved[8];
};
enum { CONFIGURE_LOOP = 0x4C0A, AUTOCLEAR = 4, DIRECT = 16, READ_ONLY = 1 };
/* EXT4_IOC_RESIZE_FS of fs/ext4/ext4.h, which no header of user space has: takes a number of blocks. */
#define RESIZE_FILE_SYSTEM _IOW('f', 16, uint64_t)
enum { LOOP_MAJOR_NUMBER = 7 };
enum { MAX_TRIES = 64, BLOCK = 65536 };

static const char file_system[] = "ext4";

int disk_complain(const char *step) {
  dprintf(1, "%d %s\n", errno, step);
  return 1;
}

/* Between the two steps somebody else may take the same device. With AUTOCLEAR the kernel lets go of the
 * image when nobody has the device open or mounted, so that none is left however we end. */
static int attach(int image, uint32_t flags, char path[32]) {
  _cleanup_fd_ int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  if (control < 0) return -1;
  for (int tries = 0; tries < MAX_TRIES; tries++) {
    int number = ioctl(control, LOOP_CTL_GET_FREE);
    if (number < 0) return -1;
    snprintf(path, 32, "/dev/loop%d", number);
    _cleanup_fd_ int device = open(path, O_RDWR | O_CLOEXEC);
    if (device < 0) return -1;
    struct loop_setting setting;
    memset(&setting, 0, sizeof setting);
    setting.fd = (uint32_t)image;
    setting.info.lo_flags = AUTOCLEAR | DIRECT | flags;
    if (ioctl(device, CONFIGURE_LOOP, &setting) == 0) {
      int attached = device;
      device = -1;
      return attached;
    }
    if (errno != EBUSY) return -1;
  }
  return -1;
}

/* What is mounted is what holds: its size is read back from the kernel. */
static int check_size(const char *dir, int64_t bytes) {
  struct statfs stats;
  if (statfs(dir, &stats) != 0) return disk_complain("statfs");
  const uint64_t size = (uint64_t)stats.f_blocks * (uint64_t)stats.f_bsize;
  errno = EFBIG;
  return size == 0 || size > (uint64_t)bytes ? disk_complain("size") : 0;
}

/* `discard`: what the task removes is given back to the file system that the image lies in. `noinit_itable`:
 * a new file is zero already. */
static int mount_image(int image, const char *dir, int64_t bytes) {
  char path[32];
  _cleanup_fd_ int device = attach(image, 0, path);
  if (device < 0) return disk_complain("loop");
  if (mount(path, dir, file_system, MS_NOSUID | MS_NODEV, "discard,noinit_itable") != 0)
    return disk_complain("mount");
  int failed = check_size(dir, bytes);
  if (failed != 0) umount2(dir, MNT_DETACH | UMOUNT_NOFOLLOW);
  return failed;
}

static int open_image(const char *path, int way) { return open(path, way | O_NOFOLLOW | O_CLOEXEC); }

/* Not when our supervisor is dead: its successor may be removing the task by now. */
static int mount_file(const char *path, const char *dir, int64_t bytes) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return disk_complain("prctl");
  _cleanup_fd_ int image = open_image(path, O_RDWR);
  return image < 0 ? disk_complain("open") : mount_image(image, dir, bytes);
}

/* Of a task that has ended, after the host was started anew. */
static int show_file(const char *path, const char *dir) {
  char device_path[32];
  _cleanup_fd_ int image = open_image(path, O_RDONLY);
  if (image < 0) return disk_complain("open");
  _cleanup_fd_ int device = attach(image, READ_ONLY, device_path);
  if (device < 0) return disk_complain("loop");
  const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV;
  return mount(device_path, dir, file_system, flags, NULL) == 0 ? 0 : disk_complain("mount");
}

/* The loop device that is mounted on `directory`, if it shows the file `image`. */
static int open_device(int directory, int image) {
  struct stat mounted, file, node;
  if (fstat(directory, &mounted) != 0 || fstat(image, &file) != 0) return -1;
  errno = ENOTBLK;
  if (major(mounted.st_dev) != LOOP_MAJOR_NUMBER) return -1;
  char path[32];
  snprintf(path, sizeof path, "/dev/loop%u", minor(mounted.st_dev));
  _cleanup_fd_ int device = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  struct loop_info64 info;
  if (device < 0 || fstat(device, &node) != 0 || ioctl(device, LOOP_GET_STATUS64, &info) != 0) return -1;
  errno = ESTALE;
  if (!S_ISBLK(node.st_mode) || node.st_rdev != mounted.st_dev || info.lo_inode != file.st_ino) return -1;
  int opened = device;
  device = -1;
  return opened;
}

/* What is mounted holds until the last step: where one before it fails, the bound is as it was. A second call
 * goes on from there. */
static int grow_file(const char *path, const char *dir, int64_t bytes) {
  _cleanup_fd_ int image = open_image(path, O_RDWR);
  _cleanup_fd_ int directory = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (image < 0 || directory < 0) return disk_complain("open");
  _cleanup_fd_ int device = open_device(directory, image);
  if (device < 0) return disk_complain("loop");
  struct stat file;
  struct statfs stats;
  if (fstat(image, &file) != 0 || fstatfs(directory, &stats) != 0 || stats.f_bsize <= 0)
    return disk_complain("statfs");
  errno = EINVAL;
  if (file.st_size > bytes) return disk_complain("size");
  if (file.st_size < bytes && ftruncate(image, bytes) != 0) return disk_complain("truncate");
  if (ioctl(device, LOOP_SET_CAPACITY, 0) != 0) return disk_complain("loop");
  uint64_t blocks = (uint64_t)bytes / (uint64_t)stats.f_bsize;
  if (ioctl(directory, RESIZE_FILE_SYSTEM, &blocks) != 0) return disk_complain("resize");
  return check_size(dir, bytes);
}

/* At once out of sight, also while somebody still reads a log there. */
static int unmount(const char *dir) {
  for (int count = 0; umount2(dir, MNT_DETACH | UMOUNT_NOFOLLOW) == 0; count++)
    if (count > MAX_TRIES) return disk_complain("unmount");
  return errno == EINVAL || errno == ENOENT ? 0 : disk_complain("unmount");
}

/* By its effect: a write beyond the size has to fail. /proc is there, and ours alone. */
static int try_image(int image, int64_t bytes) {
  static const char block[BLOCK];
  const char place[] = "/proc";
  if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    return disk_complain("namespace");
  int failed = mount_image(image, place, bytes);
  if (failed != 0) return failed;
  _cleanup_fd_ int file = open("/proc/full", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return disk_complain("write");
  for (int64_t written = 0; written <= bytes;) {
    ssize_t count = write(file, block, sizeof block);
    if (count < 0 && errno != EINTR) return errno == ENOSPC ? 0 : disk_complain("write");
    if (count > 0) written += count;
  }
  errno = EFBIG;
  return disk_complain("limit");
}

int disk_run(char **arguments) {
  int64_t bytes;
  size_t count = 0;
  while (arguments[count] != NULL) count++;
  const char *verb = count > 0 ? arguments[0] : "";
  if (strcmp(verb, "project") == 0) return project_run(arguments + 1);
  if (count == 4 && strcmp(verb, "mount") == 0 && parse_number(arguments[3], 1, INT64_MAX, &bytes))
    return mount_file(arguments[1], arguments[2], bytes);
  if (count == 4 && strcmp(verb, "grow") == 0 && parse_number(arguments[3], 1, INT64_MAX, &bytes))
    return grow_file(arguments[1], arguments[2], bytes);
  if (count == 3 && strcmp(verb, "show") == 0) return show_file(arguments[1], arguments[2]);
  if (count == 2 && strcmp(verb, "unmount") == 0) return unmount(arguments[1]);
  if (count == 2 && strcmp(verb, "try") == 0 && parse_number(arguments[1], 1, INT64_MAX, &bytes))
    return try_image(0, bytes);
  return 2;
}
