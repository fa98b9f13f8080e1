/* The lines of the control FIFO, from whoever may write there: nothing in them is trusted. */
#pragma once
#include "failure.h"

enum { MAX_CONTROL_LINE = 255 };

struct control {
  size_t used;
  bool too_long;
  char line[MAX_CONTROL_LINE + 1];
};

enum command_kind {
  COMMAND_BAD,
  COMMAND_SIGNAL,
  COMMAND_STOP,
  COMMAND_KILL,
  COMMAND_GO,
  COMMAND_TIMEOUT,
  COMMAND_OUTPUT,
  COMMAND_SIZE,
  COMMAND_END,
  COMMAND_OOM,
  COMMAND_EGRESS,
  COMMAND_REFUSE
};
struct command {
  enum command_kind kind;
  int signal;
  /* Of COMMAND_STOP and of COMMAND_TIMEOUT. */
  int64_t grace_ms, timeout_ms;
  /* Of COMMAND_OOM: all of the task is to die, not only whom the kernel has killed. */
  bool whole_task;
  /* Of COMMAND_OUTPUT. */
  int64_t max_output;
  /* Of COMMAND_STOP: the signal is for the leader alone. */
  bool leader_only;
  /* Of COMMAND_SIZE. */
  int64_t rows, columns;
  /* Of COMMAND_REFUSE: a start that is none after all, and why. */
  enum stage stage;
  const char *detail;
};

/* Takes in bytes; calls handle_command for each whole line. */
void control_feed(struct control *control, const char *bytes, size_t count,
    void handle_command(const struct command *command, void *context), void *context);

/* The command `stop` as the value of a signal: number in bits 0 to 6, leader alone in bit 7, grace in
 * milliseconds above. False: it is none. */
bool control_unpack(uint64_t value, struct command *command);
