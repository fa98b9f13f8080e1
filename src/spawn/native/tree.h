/* Runs in the shim: everything the task has become, and its end. */
#pragma once
#include "spec.h"

struct tree {
  /* The task's leader, our unreaped child; 0 once reaped (its number may be another's then). */
  pid_t leader;
  /* PID 1 of its pid namespace, likewise; 0 when there is none. */
  pid_t stub;
  bool has_namespace;
  /* It runs inside a task's pid namespace: what loses its parent goes to the task's PID 1, not to us. */
  bool is_exec_session;
  /* Of an exec session: what was killed, since it is not ours to wait for. */
  struct process_list {
    struct identity *processes;
    size_t count, capacity;
  } killed;
  /* The cgroup whose membership counts, or NULL. */
  const char *cgroup, *freezer;
};

enum { MAX_SURVIVORS = 64 };
struct survivors {
  size_t count;
  pid_t pids[MAX_SURVIVORS];
};

/* SIGKILL to all of it, without waiting. */
void tree_kill(struct tree *tree);
/* After the leader's end: kills and reaps the rest until nothing is left or the deadline (boottime) has
 * passed; names who is left. */
void tree_finish(struct tree *tree, int64_t deadline, struct survivors *survivors);
