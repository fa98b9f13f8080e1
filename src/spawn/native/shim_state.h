/* What the chapters of the shim share: its state, and what they call of each other. shim.c has the order in
 * which it all happens. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "child.h"
#include "control.h"
#include "egress_link.h"
#include "enforced.h"
#include "failure.h"
#include "collected.h"
#include "features.h"
#include "output_index.h"
#include "pump.h"
#include "record.h"
#include "shim.h"
#include "spec.h"
#include "terminal.h"
#include "tree.h"

enum {
  OOM_SOON_MS = 100,
  OOM_LATER_MS = 50,
  OOM_BELOW_MS = 1000,
  MAX_OOM_MS = 60000,
  MAX_KILL_MS = 10000,
  MAX_LOGS_MS = 1000,
  MAX_STOPPED_MS = 5000,
  MAX_STUB_MS = 60000,
  TELL_MS = 1000,
  MAX_NOTES = 64,
  KEPT_SIZE = 640
};
/* What others know a shim at work by (src/spawn/shims.ts, src/audit), and one that waits for a request. */
#define SHIM_NAME "holdfast-shim"
#define PARKED_NAME "holdfast-parked"
#define TASK_ENDED "the task it was to run inside of has ended"

/* The status of the task's process, until it execs: a struct child_ready, CHILD_MARK, a struct failure, each
 * of them or not, in that order. */
struct status_input {
  size_t used;
  char bytes[sizeof(struct child_ready) + 1 + sizeof(struct failure)];
};

/* On the stack of its process, which gives back what is above it, and `failure`, when the task has begun. */
struct shim {
  int id;
  /* NULL once the request's pages are given back, after exec. */
  const struct spec *spec;
  struct request *request;
  const struct platform_info *platform;
  volatile char *word;

  /* Descriptors; -1 when not open. `alive` is only held. */
  int reply, dir, control, alive, lifeline, signals, reserved, death_pipe, exec_barrier, status_pipe;

  /* Of one that runs inside a task: that task's FIFO, its leader and its PID 1 in /proc; who enters it for
   * us, and where the pid of our leader comes from. */
  int target_alive, target_dir, target_leader, target_init, pid_pipe;
  pid_t setns_helper;

  /* What is still needed of the spec after that. */
  char **cgroups;
  size_t cgroup_count;
  /* An orchestrator's, made for the task, and what had been counted there before it. */
  char **given;
  size_t given_count;
  struct counters given_before;
  char *oom_file, *freezer;
  /* Where these are, with the names of the logs: a page of their own is for those of a task with many. */
  _Alignas(char *) char kept[KEPT_SIZE];
  int64_t timeout_ms, grace_ms, max_output, oom_before, oom_seen;
  /* Kills in cgroups of exec sessions: as last looked at, and those that were for want of the task's memory.
   */
  int64_t oom_below, oom_of_sessions;
  /* Of a cgroup of v1: where the kernel tells that memory is out (-1: nowhere), and whether all of the task
   * dies then. */
  int oom_event;
  bool oom_takes_all;
  bool durable;
  /* Standard error goes where standard output does, or there is one stream, a terminal's. */
  bool shares_log;

  /* NULL: the task has no terminal. */
  struct terminal *terminal;
  /* Of standard output and standard error: how it is carried, or the FIFO that is held for it, or the file
   * that the task writes itself. */
  struct {
    char *name;
    struct log_pump pump;
    struct collected collected;
    int held, plain;
  } logs[2];
  /* Of what is carried. */
  struct output_index index;

  /* The forwarder of a task whose network has rules. */
  struct egress_link egress;

  struct tree tree;
  struct identity task;
  struct control input;
  int notes;

  struct status_input *status_input;
  /* Of what is in force, until it is stored. */
  struct text enforced;
  struct process_files process_files;
  char line[128];
  size_t line_length;
  /* The task's process is ready, and may not exec before `go`; whether that has been said. */
  bool held, held_told;

  /* Boottime milliseconds; 0: none. */
  int64_t oom_since, oom_look, stop_deadline, timeout_deadline, set_up_deadline, hold_deadline, give_up,
      execed_at;
  /* Until then nothing is carried that came before the start was reported. */
  int64_t carry_from;
  struct exit_record record;
  /* The last: until something fails it is all zeros, as which it reads when its page has been given back. */
  struct failure failure;
};

/* An exec session runs inside another task, whose cgroups, root and leader are not its own. */
static inline bool is_exec_session(const struct spec *spec) { return spec->inside.alive != NULL; }

/* The only place for what goes wrong inside. Bounded: a writer of rubbish must not fill the disk. */
void PRINTF(2, 3) write_shim_log(struct shim *shim, const char *format, ...);

/* shim_setup.c: what does not depend on the task, and then all before its process runs. -1: `failure` says
 * what went wrong. `way`: the descriptor that stays open for the answer, or for the request. */
int shim_detach(struct shim *shim, int way);
int shim_set_up(struct shim *shim);
/* In its place only when we hold it: who sees `alive` without a holder takes us for dead. One left by an
 * earlier run is replaced. -1: errno. */
int shim_make_fifo(struct shim *shim, const char *name, const char *temporary);

/* shim_parked.c: waits for a request and takes it, with the descriptors that come along. False: none comes
 * any more, or this shim is none any more that could serve it. */
bool shim_await_request(struct shim *shim, int socket, struct spec *spec, struct request *request);

/* shim_fork.c: PID 1 of the new namespace, the task's own process, the record of it, and its leave to exec
 * once there is one and the process is ready. -1 likewise. */
int shim_fork_stub(struct shim *shim);
int shim_fork_task(struct shim *shim);
int shim_record_start(struct shim *shim);
int shim_lift_exec_barrier(struct shim *shim);
/* It has been held, and somebody who has compared says that it may exec. */
int shim_let_go(struct shim *shim);

/* shim_children.c: what becomes of the processes, and who hears of the start. */
/* The task's process has done all but exec, and there is a record of it. */
bool shim_is_ready(const struct shim *shim);
void shim_take_leader(struct shim *shim);
void shim_reap(struct shim *shim);
void shim_read_status(struct shim *shim);
/* That the task is held, if it is still to be said and its reader reads. */
void shim_report_held(struct shim *shim);
/* If it is still to be reported, and its reader reads within that time. */
void shim_report_start(struct shim *shim, int wait_ms);

/* shim_commands.c: what is asked of it, by whom, and its deadlines. */
void shim_record_stop(struct shim *shim, enum stop_reason reason, int number);
void shim_kill_task(struct shim *shim, enum stop_reason reason);
void shim_read_control(struct shim *shim);
void shim_read_signals(struct shim *shim);
bool shim_gave_too_much(const struct shim *shim);
void shim_check_output(struct shim *shim);
void shim_check_deadlines(struct shim *shim);
/* Of two deadlines, 0 being none, the one that comes first. */
void shim_earlier(int64_t *deadline, int64_t at);

/* shim_memory.c: of a v1 cgroup, where the kernel kills one process for memory and leaves the others. -1
 * likewise. */
int shim_watch_memory(struct shim *shim);
void shim_hear_of_memory(struct shim *shim);
void shim_check_memory(struct shim *shim);

/* shim_finish.c: what is left of the task goes, and what happened is written down. */
_Noreturn void shim_finish(struct shim *shim);
