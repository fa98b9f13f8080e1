/* Runs in the shim: everything the task has become, and its end. */
#pragma once
#include "io.h"

struct tree {
  /* The task's leader, our unreaped child; 0 once reaped (its number may be another's then). */
  pid_t leader;
  /* PID 1 of its pid namespace, likewise; 0 when there is none. */
  pid_t stub;
  bool has_namespace;
  /* The cgroup whose membership counts, or NULL. */
  const char *cgroup, *freezer;
};

enum { SURVIVORS_MOST = 64 };
struct survivors {
  size_t count;
  pid_t pids[SURVIVORS_MOST];
};

/* SIGKILL to all of it, without waiting. */
void tree_kill(const struct tree *tree);
/* After the leader's end: kills and reaps the rest until nothing is left or the deadline (boottime) has passed; names who is left. */
void tree_finish(struct tree *tree, int64_t deadline, struct survivors *survivors);
