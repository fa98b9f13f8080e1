/* The lines of the control FIFO, from whoever may write there: nothing in them is trusted. */
#pragma once
#include "io.h"

enum { CONTROL_LINE_MOST = 255 };

struct control {
  size_t used;
  bool too_long;
  char line[CONTROL_LINE_MOST + 1];
};

enum order_kind { ORDER_BAD, ORDER_SIGNAL, ORDER_STOP, ORDER_KILL, ORDER_WALL, ORDER_OUTPUT, ORDER_SIZE, ORDER_END, ORDER_OOM };
struct order {
  enum order_kind kind;
  int signal;
  /* Of ORDER_STOP and of ORDER_WALL. */
  int64_t grace_ms, wall_ms;
  /* Of ORDER_OOM: all of the task is to die, not only whom the kernel has killed. */
  bool whole_task;
  /* Of ORDER_OUTPUT. */
  int64_t output_most;
  /* Of ORDER_STOP: the signal is for the leader alone. */
  bool leader_only;
  /* Of ORDER_SIZE. */
  int64_t rows, columns;
};

/* Takes in bytes; calls obey for each whole line. */
void control_feed(struct control *control, const char *bytes, size_t count, void obey(const struct order *order, void *context), void *context);

/* The order `stop` as the value of a signal: number in bits 0 to 6, leader alone in bit 7, grace in milliseconds above. False: it is none. */
bool control_unpack(uint64_t value, struct order *order);
