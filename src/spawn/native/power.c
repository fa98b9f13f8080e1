#include "power.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include "io.h"
#include "system.h"

bool may(unsigned capability) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct data[2] = {{0}, {0}};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  return (data[capability / 32].effective >> capability % 32 & 1) != 0;
}

bool drop_effective(unsigned capability) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct data[2] = {{0}, {0}};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  data[capability / 32].effective &= ~(UINT32_C(1) << capability % 32);
  return syscall(SYS_capset, &header, data) == 0;
}

/* Everybody has a number in the host's own user namespace. A kernel without others has no maps, and without
 * /proc nobody can tell. */
static bool is_whole(const char *map) {
  char text[256];
  uint64_t first, outside, count;
  if (read_file_at(AT_FDCWD, map, text, sizeof text) < 0) return errno == ENOENT;
  return sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &first, &outside, &count) == 3 && first == 0 &&
         outside == 0 && count == UINT32_MAX;
}

bool isolates_on_the_host(void) {
  static const unsigned needed[] = {
      CAP_SYS_ADMIN,
      CAP_SETUID,
      CAP_SETGID,
      CAP_CHOWN,
      CAP_DAC_OVERRIDE,
      CAP_FOWNER,
      CAP_KILL,
      CAP_SETPCAP,
      CAP_MKNOD,
  };
  if (geteuid() != 0) return false;
  for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
    if (!may(needed[i])) return false;
  return is_whole("/proc/self/uid_map") && is_whole("/proc/self/gid_map");
}
