#include "features.h"
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include "landlock.h"
#include "system.h"

#if defined(__x86_64__)
#define ARCHITECTURE "x86_64"
#elif defined(__aarch64__)
#define ARCHITECTURE "aarch64"
#else
#define ARCHITECTURE "other"
#endif

#ifdef __GLIBC__
#define LIBC "glibc"
#else
#define LIBC "musl"
#endif

#ifdef HOLDFAST_STATIC
#define IS_STATIC "true"
#else
#define IS_STATIC "false"
#endif

/* A call made wrong on purpose: any error but "no such call" (or a filter's EPERM) means that it is there. */
static bool exists(void) { return errno != ENOSYS && errno != EPERM; }

void platform_probe(struct platform_info *platform) {
  struct how how = {0};
  platform->has_openat2 = sys_openat2(-1, "", &how) >= 0 || exists();
  struct mount_attributes none = {0};
  platform->has_mount_setattr = sys_mount_setattr(-1, 0, &none) >= 0 || exists();
  /* Without an address the kernel answers EFAULT where filters are built in, EINVAL where they are not. */
  bool kernel = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0, 0, 0) != 0 && errno == EFAULT;
  platform->has_seccomp =
      seccomp_build(&platform->program, false) && seccomp_build(&platform->tracing, true) && kernel;
  platform->landlock = landlock_version();
}

void platform_describe(const struct platform_info *platform, char *text, size_t size) {
  static const char words[2][6] = {"false", "true"};
  snprintf(text, size,
      "{\"version\":%d,\"static\":" IS_STATIC ",\"libc\":\"" LIBC
      "\",\"seccomp\":%s,\"openat2\":%s,\"mountSetattr\":%s,\"landlock\":%d,\"arch\":\"" ARCHITECTURE "\"}",
      NATIVE_VERSION, words[platform->has_seccomp], words[platform->has_openat2],
      words[platform->has_mount_setattr], platform->landlock);
}
