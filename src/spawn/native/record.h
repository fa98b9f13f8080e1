/* Runs in the shim: start.json and exit.json (StartRecord and ExitRecord of machines/shim-records.ts). */
#pragma once
#include <sys/resource.h>
#include "counters.h"
#include "failure.h"
#include "spec.h"
#include "text.h"
#include "tree.h"

enum stop_reason { STOP_NONE, STOP_SHUTDOWN, STOP_FORCE, STOP_TIMEOUT, STOP_OUTPUT, STOP_ORPHANED };

struct stop_record {
  enum stop_reason reason;
  int signal;
  int64_t at, forced_at;
};

struct exit_record {
  bool has_status;
  int status;
  struct rusage usage;
  int64_t started_at, exited_at, oom_kills;
  struct stop_record stop;
  struct survivors survivors;
  struct counters counters;
  /* -1: nobody counts. */
  int64_t log_dropped;
  /* -1: the task has no rules. */
  int64_t egress_denied;
  /* Something the task has written is in no log. */
  bool logs_lost;
  const struct failure *failure;
};

/* Field 22 of /proc/PID/stat; 0 when it cannot be read. */
struct identity identify(pid_t pid);
/* One field of a stat file's text, from 4 on; 0 when it is not there. */
uint64_t stat_number(const char *stat, int number);
/* The exit record's file with its blocks reserved, so that a disk filled by the task cannot lose the result.
 * -1 with errno on failure. */
int reserve_exit_record(int dir);
/* Written beside it and put in its place: there is a whole one or none. False: errno. */
bool record_store(int dir, const char *temporary, const char *name, const struct text *text);
/* `external`: those that are not ours are in it, too. */
bool write_start_record(int dir, const struct identity *shim, const struct identity *task,
    const struct identity *init, int64_t started_at, const struct cgroup *cgroups, bool external);
/* What the exit record in there says of OOM kills; -1: nothing, or there is none. */
int64_t recorded_oom_kills(int dir);
/* Retries for up to ten seconds while the disk is full or failing. */
bool write_exit_record(int dir, int reserved, const struct exit_record *record, bool durable);
