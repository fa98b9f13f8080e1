/* A file of its own: asm/unistd_32.h defines the same names as the native numbers. Include nothing that
 * brings those. */
#if defined(__x86_64__)
#include <asm/unistd_32.h>
#endif
#include <linux/filter.h>
#include <stddef.h>
#include "seccomp.h"

size_t seccomp_calls_i386(struct call *calls, size_t max) {
#if defined(__x86_64__)
  static const struct call known[] = {
#include "seccomp_calls.inc"
  };
  size_t count = sizeof known / sizeof known[0];
  if (count > max) return 0;
  for (size_t i = 0; i < count; i++) calls[i] = known[i];
  return count;
#else
  (void)calls;
  (void)max;
  return 0;
#endif
}
