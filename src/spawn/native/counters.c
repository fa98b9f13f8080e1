#include "counters.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>
#include "cgroup_leaf.h"

enum { MAX_TEXT = 4096 };

/* Of lines `NAME NUMBER`, or, for an empty name, of one number; -1 when it is not there. */
static int64_t number_of(const char *text, const char *name) {
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

static OWN_FRAME int64_t count_in(int dir, const char *file, const char *name) {
  char text[MAX_TEXT];
  return read_file_at(dir, file, text, sizeof text) < 0 ? -1 : number_of(text, name);
}

/* None is the word `max`, and on v1 a number near the largest there is. JSON's readers are exact below 2^53.
 */
static int64_t limit_in(int dir, const char *file) {
  int64_t limit = count_in(dir, file, "");
  return limit < INT64_C(1) << 53 ? limit : -1;
}

static void keep_first(int64_t *counter, int64_t value) {
  if (*counter < 0) *counter = value;
}

/* memory.events of v2 counts what groups below have met with, too, as exec sessions have theirs; since Linux
 * 5.2, which has the other. */
static OWN_FRAME int64_t memory_events(int dir) {
  static const char *const files[] = {"memory.events.local", "memory.events"};
  char text[MAX_TEXT];
  for (int i = 0; i < 2; i++) {
    if (read_file_at(dir, files[i], text, sizeof text) < 0) continue;
    int64_t high = number_of(text, "high"), max = number_of(text, "max");
    if (high >= 0 && max >= 0) return high + max;
  }
  return -1;
}

/* Since Linux 6.11 counted where the limit is; before, where whoever forks is. */
static OWN_FRAME int64_t pids_refused(int dir, const char *path) {
  int64_t here = count_in(dir, "pids.events.local", "max");
  if (here >= 0) return here;
  char leaf_path[PATH_MAX];
  int64_t forking = count_in(dir, "pids.events", "max");
  if (forking < 0 || !cgroup_leaf(leaf_path, path)) return forking;
  _cleanup_fd_ int leaf = open(leaf_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int64_t below = leaf < 0 ? -1 : count_in(leaf, "pids.events", "max");
  return below < 0 ? forking : forking + below;
}

/* The peak is in memory.peak since Linux 5.19. */
static void read_v2(int dir, const char *path, struct counters *counters) {
  keep_first(&counters->pids_refused, pids_refused(dir, path));
  keep_first(&counters->throttled_us, count_in(dir, "cpu.stat", "throttled_usec"));
  int64_t events = memory_events(dir);
  if (events < 0) return;
  keep_first(&counters->memory_high, events);
  keep_first(&counters->memory_peak, count_in(dir, "memory.peak", ""));
  keep_first(&counters->memory_limit, limit_in(dir, "memory.max"));
}

/* Where memory and swap together have a limit, and swap none of its own, that one is met first. A zero says
 * nothing: where the limit of both is met first, a kernel may count nothing (seen on 6.18, amid OOM kills).
 */
static void read_memory_v1(int dir, struct counters *counters) {
  int64_t memory = count_in(dir, "memory.failcnt", "");
  if (memory < 0) return;
  int64_t both = count_in(dir, "memory.memsw.failcnt", ""), sum = memory + (both < 0 ? 0 : both);
  if (sum > 0) keep_first(&counters->memory_high, sum);
  counters->doubts_high = true;
  keep_first(&counters->memory_peak, count_in(dir, "memory.max_usage_in_bytes", ""));
  keep_first(&counters->memory_limit, limit_in(dir, "memory.limit_in_bytes"));
}

static void read_v1(int dir, struct counters *counters) {
  int64_t throttled = count_in(dir, "cpu.stat", "throttled_time");
  keep_first(&counters->pids_refused, count_in(dir, "pids.events", "max"));
  if (throttled >= 0) keep_first(&counters->throttled_us, throttled / 1000);
  read_memory_v1(dir, counters);
}

static bool is_v2(int dir) {
  struct statfs status;
  return fstatfs(dir, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

/* Whoever waits for the end waits for this: no file is asked for that the version does not have, and none of
 * a cgroup that never came. */
void counters_read(char *const *dirs, size_t count, struct counters *counters) {
  *counters = (struct counters)NO_COUNTERS;
  for (size_t i = 0; i < count; i++) {
    _cleanup_fd_ int dir = open(dirs[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) continue;
    if (is_v2(dir)) read_v2(dir, dirs[i], counters);
    else read_v1(dir, counters);
  }
}

static void keep_since(int64_t *counter, int64_t before, int64_t now) {
  if (now >= 0) keep_first(counter, before > 0 && before <= now ? now - before : now);
}

void counters_add_since(
    const struct counters *before, char *const *dirs, size_t count, struct counters *counters) {
  struct counters now;
  counters_read(dirs, count, &now);
  keep_since(&counters->pids_refused, before->pids_refused, now.pids_refused);
  keep_since(&counters->throttled_us, before->throttled_us, now.throttled_us);
  if (!now.doubts_high || now.memory_high != before->memory_high)
    keep_since(&counters->memory_high, before->memory_high, now.memory_high);
  if (now.memory_peak > before->memory_peak) keep_first(&counters->memory_peak, now.memory_peak);
  keep_first(&counters->memory_limit, now.memory_limit);
}
