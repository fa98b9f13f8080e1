/* Runs in the shim: how often the limits of a task's cgroups held it up, and how much memory it took. */
#pragma once
#include "spec.h"

/* Each -1 where nobody counts it. */
struct counters {
  int64_t pids_refused, memory_high, throttled_us;
  /* Bytes; no limit is -1, too. */
  int64_t memory_peak, memory_limit;
  /* Of v1, where that memory_high is 0 says nothing. */
  bool doubts_high;
};
#define NO_COUNTERS {-1, -1, -1, -1, -1, false}

/* Of the first of these directories that has such a counter, whichever version of cgroups it is of. */
void counters_read(char *const *dirs, size_t count, struct counters *counters);
/* What has been counted since `before` in directories that an orchestrator may have used for an earlier run,
 * for each counter that `counters` does not have. A peak that was there before may be of that run. */
void counters_add_since(
    const struct counters *before, char *const *dirs, size_t count, struct counters *counters);
