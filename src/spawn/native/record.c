#include "record.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

uint64_t stat_number(const char *stat, int number) {
  /* The name in field 2 may hold spaces and parentheses; only the last one ends it. */
  const char *field = strrchr(stat, ')');
  for (int at = 2; field != NULL && at < number; at++) {
    field = strchr(field, ' ');
    if (field != NULL) field++;
  }
  return field == NULL ? 0 : strtoull(field, NULL, 10);
}

struct identity identify(pid_t pid) {
  struct identity identity = {.pid = pid};
  char path[32], stat[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  if (read_file_at(AT_FDCWD, path, stat, sizeof stat) > 0) identity.start = stat_number(stat, 22);
  return identity;
}

int reserve_exit_record(int dir) {
  _cleanup_fd_ int fd =
      openat(dir, "exit.json.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4096) != 0) {
    if (errno != EOPNOTSUPP && errno != ENOSYS) return -1;
    char blank[4096];
    memset(blank, ' ', sizeof blank);
    if (!write_all(fd, blank, sizeof blank) || lseek(fd, 0, SEEK_SET) != 0) return -1;
  }
  int kept = fd;
  fd = -1;
  return kept;
}

bool record_store(int dir, const char *temporary, const char *name, const struct text *text) {
  _cleanup_fd_ int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  return fd >= 0 && write_all(fd, text->data, text->length) && renameat(dir, temporary, dir, name) == 0;
}

static void add_identity(struct text *text, const char *name, const struct identity *identity) {
  if (identity->pid == 0) text_add(text, "\"%s\":null,", name);
  else
    text_add(text, "\"%s\":{\"pid\":%d,\"startTime\":%llu},", name, identity->pid,
        (unsigned long long)identity->start);
}

bool write_start_record(int dir, const struct identity *shim, const struct identity *task,
    const struct identity *init, int64_t started_at, const struct cgroup *cgroups, bool external) {
  char boot_id[64] = "";
  if (read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot_id, sizeof boot_id) > 0)
    boot_id[strcspn(boot_id, "\n")] = '\0';
  _cleanup_text_ struct text text = {0};
  text_add(&text, "{\"format\":\"holdfast.start\",\"version\":1,");
  add_identity(&text, "shim", shim);
  add_identity(&text, "task", task);
  add_identity(&text, "init", init);
  text_add(&text, "\"bootId\":\"%s\",\"startedAt\":%lld,\"cgroups\":[", boot_id, (long long)started_at);
  const char *comma = "";
  for (const struct cgroup *cgroup = cgroups; cgroup != NULL; cgroup = cgroup->next) {
    if (cgroup->external && !external) continue;
    text_add(&text, "%s", comma);
    text_add_string(&text, cgroup->dir);
    comma = ",";
  }
  text_add(&text, "]}\n");
  if (text.failed) return errno = ENOMEM, false;
  return record_store(dir, "start.json.tmp", "start.json", &text);
}

static void add_value(struct text *text, const char *name, bool present, int64_t value) {
  if (present) text_add(text, "\"%s\":%lld", name, (long long)value);
  else text_add(text, "\"%s\":null", name);
}

static void add_optional(struct text *text, const char *name, bool present, int64_t value) {
  add_value(text, name, present, value);
  text_add(text, ",");
}

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

static void add_stop(struct text *text, const struct stop_record *stop) {
  static const char reasons[][12] = {"", "shutdown", "force", "timeout", "output", "orphaned"};
  if (stop->reason == STOP_NONE) {
    text_add(text, "\"stop\":null,");
    return;
  }
  text_add(text, "\"stop\":{\"reason\":\"%s\",\"signal\":%d,\"at\":%lld,", reasons[stop->reason],
      stop->signal, (long long)stop->at);
  if (stop->forced_at > 0) text_add(text, "\"forcedAt\":%lld},", (long long)stop->forced_at);
  else text_add(text, "\"forcedAt\":null},");
}

static void describe_exit(struct text *text, const struct exit_record *record) {
  bool ran = record->has_status && record->failure == NULL;
  bool exited = ran && WIFEXITED(record->status), signaled = ran && WIFSIGNALED(record->status);
  text_add(text, "{\"format\":\"holdfast.exit\",\"version\":1,");
  add_optional(text, "exitCode", exited, WEXITSTATUS(record->status));
  add_optional(text, "signal", signaled, WTERMSIG(record->status));
  text_add(text, "\"coreDumped\":%s,", signaled && WCOREDUMP(record->status) ? "true" : "false");
  if (ran)
    text_add(text, "\"rusage\":{\"userUs\":%lld,\"systemUs\":%lld,\"maxRssKb\":%ld},",
        (long long)microseconds(record->usage.ru_utime), (long long)microseconds(record->usage.ru_stime),
        record->usage.ru_maxrss);
  else text_add(text, "\"rusage\":null,");
  add_optional(text, "startedAt", record->failure == NULL && record->started_at > 0, record->started_at);
  text_add(text, "\"exitedAt\":%lld,", (long long)record->exited_at);
  add_optional(text, "oomKills", record->oom_kills >= 0, record->oom_kills);
  add_stop(text, &record->stop);
  text_add(text, "\"survivors\":[");
  for (size_t i = 0; i < record->survivors.count; i++)
    text_add(text, "%s%d", i == 0 ? "" : ",", record->survivors.pids[i]);
  /* A log that the task writes itself is whole when nobody is left to write. */
  text_add(
      text, "],\"logsComplete\":%s,", record->survivors.count == 0 && !record->logs_lost ? "true" : "false");
  const struct counters *counters = &record->counters;
  text_add(text, "\"limitsHit\":{");
  add_optional(text, "pidsRefused", counters->pids_refused >= 0, counters->pids_refused);
  add_optional(text, "memoryHigh", counters->memory_high >= 0, counters->memory_high);
  add_optional(text, "throttledUs", counters->throttled_us >= 0, counters->throttled_us);
  add_optional(text, "logBytesDropped", record->log_dropped >= 0, record->log_dropped);
  add_value(text, "egressDenied", record->egress_denied >= 0, record->egress_denied);
  text_add(text, "},\"memory\":{");
  add_optional(text, "peakBytes", counters->memory_peak >= 0, counters->memory_peak);
  add_value(text, "limitBytes", counters->memory_limit >= 0, counters->memory_limit);
  text_add(text, "},");
  if (record->failure == NULL) text_add(text, "\"failure\":null}\n");
  else {
    text_add(text,
        "\"failure\":{\"stage\":\"%s\",\"errno\":%d,\"detail\":", stage_name(record->failure->stage),
        record->failure->error);
    text_add_string(text, record->failure->detail);
    text_add(text, "}}\n");
  }
}

int64_t recorded_oom_kills(int dir) {
  static const char name[] = "\"oomKills\":";
  char text[4096];
  /* Nothing that comes before it is anybody else's text. `null` is no number. */
  const char *found = read_file_at(dir, "exit.json", text, sizeof text) < 0 ? NULL : strstr(text, name);
  char *end;
  if (found == NULL) return -1;
  int64_t value = strtoll(found + sizeof name - 1, &end, 10);
  return end == found + sizeof name - 1 ? -1 : value;
}

/* The old contents are overwritten before the length is cut, so that the reserved blocks are the ones used.
 */
static bool store(int dir, int fd, const struct text *text, bool durable) {
  return lseek(fd, 0, SEEK_SET) == 0 && write_all(fd, text->data, text->length) &&
         ftruncate(fd, (off_t)text->length) == 0 && (!durable || fdatasync(fd) == 0) &&
         renameat(dir, "exit.json.tmp", dir, "exit.json") == 0;
}

bool write_exit_record(int dir, int reserved, const struct exit_record *record, bool durable) {
  _cleanup_text_ struct text text = {0};
  describe_exit(&text, record);
  if (text.failed) return false;
  int64_t deadline = boottime_ms() + 10000;
  while (!store(dir, reserved, &text, durable)) {
    if ((errno != ENOSPC && errno != EIO && errno != EDQUOT && errno != EINTR) || boottime_ms() > deadline)
      return false;
    sleep_ms(100);
  }
  return true;
}
