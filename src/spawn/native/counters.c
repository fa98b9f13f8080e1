#include "counters.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "cgroup_leaf.h"

/* A file of `NAME NUMBER` lines, or, for an empty name, of one number; -1 when it is not there. */
static OWN_FRAME int64_t count_in(const char *dir, const char *file, const char *name) {
  char path[PATH_MAX], text[4096];
  if (snprintf(path, sizeof path, "%s/%s", dir, file) >= (int)sizeof path) return -1;
  if (read_file_at(AT_FDCWD, path, text, sizeof text) < 0) return -1;
  size_t length = strlen(name);
  for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncmp(line, name, length) != 0 || (length > 0 && line[length] != ' ')) continue;
    char *end;
    const char *digits = line + length + (length > 0);
    int64_t value = strtoll(digits, &end, 10);
    return end == digits || value < 0 ? -1 : value;
  }
  return -1;
}

/* memory.events of v2 counts what groups below have met with, too, as exec sessions have theirs; since Linux
 * 5.2, which has the other. */
static int64_t memory_events(const char *dir) {
  static const char *const files[] = {"memory.events.local", "memory.events"};
  for (int i = 0; i < 2; i++) {
    int64_t high = count_in(dir, files[i], "high"), max = count_in(dir, files[i], "max");
    if (high >= 0 && max >= 0) return high + max;
  }
  return -1;
}

/* Since Linux 6.11 counted where the limit is; before, where whoever forks is. */
static OWN_FRAME int64_t pids_refused(const char *dir) {
  int64_t here = count_in(dir, "pids.events.local", "max");
  if (here >= 0) return here;
  char leaf[PATH_MAX];
  int64_t forking = count_in(dir, "pids.events", "max"),
          below = forking >= 0 && cgroup_leaf(leaf, dir) ? count_in(leaf, "pids.events", "max") : -1;
  return below < 0 ? forking : forking + below;
}

static int64_t memory_high(const char *dir) {
  int64_t events = memory_events(dir);
  if (events >= 0) return events;
  /* Where memory and swap together have a limit, and swap none of its own, that one is met first. */
  int64_t memory = count_in(dir, "memory.failcnt", ""), both = count_in(dir, "memory.memsw.failcnt", "");
  int64_t sum = memory + (both < 0 ? 0 : both);
  /* A zero says nothing: where the limit of both is met first, a kernel may count nothing (seen on 6.18, amid
   * OOM kills). */
  return memory < 0 || sum == 0 ? -1 : sum;
}

/* The peak is in memory.peak since Linux 5.19. */
static int64_t memory_peak(const char *dir) {
  int64_t peak = count_in(dir, "memory.peak", "");
  return peak >= 0 ? peak : count_in(dir, "memory.max_usage_in_bytes", "");
}

/* None is the word `max`, and on v1 a number near the largest there is. JSON's readers are exact below 2^53.
 */
static int64_t memory_limit(const char *dir) {
  int64_t limit = count_in(dir, "memory.max", "");
  if (limit < 0) limit = count_in(dir, "memory.limit_in_bytes", "");
  return limit < INT64_C(1) << 53 ? limit : -1;
}

static int64_t throttled_us(const char *dir) {
  int64_t microseconds = count_in(dir, "cpu.stat", "throttled_usec");
  if (microseconds >= 0) return microseconds;
  int64_t nanoseconds = count_in(dir, "cpu.stat", "throttled_time");
  return nanoseconds < 0 ? -1 : nanoseconds / 1000;
}

void counters_read(char *const *dirs, size_t count, struct counters *counters) {
  *counters = (struct counters)NO_COUNTERS;
  for (size_t i = 0; i < count; i++) {
    if (counters->pids_refused < 0) counters->pids_refused = pids_refused(dirs[i]);
    if (counters->memory_high < 0) counters->memory_high = memory_high(dirs[i]);
    if (counters->throttled_us < 0) counters->throttled_us = throttled_us(dirs[i]);
    if (counters->memory_peak < 0) counters->memory_peak = memory_peak(dirs[i]);
    if (counters->memory_limit < 0) counters->memory_limit = memory_limit(dirs[i]);
  }
}
