#pragma once
#include <stdbool.h>

struct spawner_options {
  /* All of it in a user namespace. */
  bool rootless;
  /* Of parked.h. */
  int parked_max, parked_keep_ms;
};

/* Reads requests from descriptor 0 and forks a shim for each, until the end of file. The exit code. */
int spawner_run(const struct spawner_options *options);
