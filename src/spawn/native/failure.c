#include "failure.h"
#include <stdarg.h>
#include <stdio.h>

const char *stage_name(enum stage stage) {
  static const char names[STAGE_COUNT][16] = {"none", "request", "fork", "record", "log", "stdin", "cgroup",
      "limit", "namespace", "network", "mount", "hostname", "user", "capabilities", "seccomp", "chdir",
      "exec", "task", "landlock", "overlay", "isolation"};
  return (unsigned)stage < STAGE_COUNT ? names[stage] : names[STAGE_NONE];
}

int fail(struct failure *failure, enum stage stage, int error, const char *format, ...) {
  if (failure->stage != STAGE_NONE) return -1;
  failure->stage = stage;
  failure->error = error;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(failure->detail, sizeof failure->detail, format, arguments);
  va_end(arguments);
  return -1;
}
