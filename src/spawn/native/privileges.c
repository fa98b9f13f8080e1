#include "privileges.h"
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_RAISE 2
#define PR_CAP_AMBIENT_CLEAR_ALL 4
#endif

static bool keeps(const struct spec *spec, unsigned long capability) {
  return capability < 64 && (spec->capabilities >> capability & 1) != 0;
}

/*
 * Both need CAP_SETPCAP, so before the change of user takes it away. SECBIT_NOROOT: root gains nothing by
 * exec (what it keeps comes by the ambient set). KEEP_CAPS lets the permitted set survive setresuid until
 * capset below; exec clears that bit.
 */
static int limit_future(const struct spec *spec, struct failure *failure) {
  for (unsigned long capability = 0; capability < 64; capability++) {
    if (keeps(spec, capability)) continue;
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    if (errno == EINVAL) break;
    /* An ordinary user outside any user namespace. What is left in the bounding set can be gained by exec
     * only, and that will gain nothing. */
    if (errno == EPERM && spec->no_new_privileges) return 0;
    return fail(failure, STAGE_CAPABILITIES, errno, "bounding set, capability %lu", capability);
  }
  unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS;
  if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0)
    return fail(failure, STAGE_CAPABILITIES, errno, "securebits");
  return 0;
}

static int change_user(const struct spec *spec, struct failure *failure) {
  if (setgroups(spec->group_count, spec->groups) != 0) return fail(failure, STAGE_USER, errno, "setgroups");
  if (setresgid(spec->gid, spec->gid, spec->gid) != 0)
    return fail(failure, STAGE_USER, errno, "setresgid %u", spec->gid);
  if (setresuid(spec->uid, spec->uid, spec->uid) != 0)
    return fail(failure, STAGE_USER, errno, "setresuid %u", spec->uid);
  return 0;
}

static int set_capabilities(const struct spec *spec, struct failure *failure) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  uint32_t low = (uint32_t)spec->capabilities, high = (uint32_t)(spec->capabilities >> 32);
  struct __user_cap_data_struct data[2] = {
      {.effective = low, .permitted = low, .inheritable = low},
      {.effective = high, .permitted = high, .inheritable = high},
  };
  /* Inherited ambient capabilities first: an empty inheritable set would clear them too, but only as a side
   * effect. */
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL)
    return fail(failure, STAGE_CAPABILITIES, errno, "ambient set");
  if (syscall(SYS_capset, &header, data) != 0) return fail(failure, STAGE_CAPABILITIES, errno, "capset");
  for (unsigned long capability = 0; capability < 64; capability++)
    if (keeps(spec, capability) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0)
      return fail(failure, STAGE_CAPABILITIES, errno, "ambient set, capability %lu", capability);
  return 0;
}

void bound_capabilities(void) {
  for (unsigned long capability = 0; capability < 64; capability++)
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) break;
  /* EPERM without CAP_SETPCAP: then there is little to give up, and clear_capabilities() gives it up. */
  prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0);
}

bool clear_capabilities(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct none[2] = {{0}, {0}};
  return syscall(SYS_capset, &header, none) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

int drop_privileges(const struct spec *spec, struct failure *failure) {
  if (spec->has_capabilities && limit_future(spec, failure) != 0) return -1;
  if (spec->has_credentials && change_user(spec, failure) != 0) return -1;
  return spec->has_capabilities ? set_capabilities(spec, failure) : 0;
}
