/* What went wrong, where: carried from the task's process to the shim and from the shim to the supervisor. */
#pragma once
#include "io.h"

enum stage {
  STAGE_NONE,
  STAGE_REQUEST,
  STAGE_FORK,
  STAGE_RECORD,
  STAGE_LOG,
  STAGE_STDIN,
  STAGE_CGROUP,
  STAGE_LIMIT,
  STAGE_NAMESPACE,
  STAGE_NETWORK,
  STAGE_MOUNT,
  STAGE_HOSTNAME,
  STAGE_USER,
  STAGE_CAPABILITIES,
  STAGE_SECCOMP,
  STAGE_CHDIR,
  STAGE_EXEC,
  STAGE_TASK,
  STAGE_LANDLOCK,
  STAGE_OVERLAY,
  STAGE_ISOLATION,
  STAGE_COUNT
};

struct failure {
  enum stage stage;
  int error;
  char detail[1024];
};

const char *stage_name(enum stage stage);

/* Fills in and returns -1, for `return fail(...)`. The first failure is kept: later ones are its
 * consequences. */
int fail(struct failure *failure, enum stage stage, int error, const char *format, ...) PRINTF(4, 5);
