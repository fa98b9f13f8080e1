/* The task's own process, from fork to exec. */
#pragma once
#include "features.h"
#include "spec.h"
#include "walls.h"

struct child_setup {
  const struct spec *spec;
  const struct request *request;
  const struct platform_info *platform;
  /* The cgroup that it was born in; NULL: none of those that it is to join. */
  const struct cgroup *joined;
  int in, out, err;
  /* Read: a byte lets exec happen, end of file means that the shim is gone. */
  int exec_barrier;
  /* Written: a struct child_ready when all but exec is done, CHILD_MARK just before exec, a struct failure
   * when something went wrong; exec closes it. */
  int status_pipe;
  int network;
  /* Where a listening socket goes to the forwarder; -1: there is none. */
  int egress;
  pid_t shim;
  /* Of one that runs inside a task: the task's leader in /proc, and the pipe for the pid of the process to
   * come. */
  int process, pid_pipe;
  /* Where the terminal that it makes goes; -1: it has none. */
  int console;
};

enum { CHILD_READY = 'r', CHILD_MARK = 'x' };

/* In one write, which a pipe takes whole. */
struct child_ready {
  char mark;
  struct walls walls;
};

_Noreturn void child_run(const struct child_setup *setup);
/*
 * The same for one that runs inside a task, in two steps: this process does everything that takes privileges
 * where the task cannot see it, and its child, which the task can see, begins with what the program will
 * have. That child is the shim's own; its pid is reported, and this one ends.
 */
_Noreturn void child_run_inside(const struct child_setup *setup);
