/* Runs in the shim: a pseudo-terminal between a task and the files of its standard input and output. */
#pragma once
#include <poll.h>
#include "failure.h"
#include "spec.h"

enum { TERMINAL_POLLS = 2 };

struct terminal;

/* Takes `in` and `out` over, and returns the task's end in *task_end. NULL, with the failure said, when it cannot be made. */
struct terminal *terminal_open(const struct spec *spec, int in, int out, int *task_end, struct failure *failure);
/*
 * Between a FIFO and the task, where there is no terminal: a pipe of the task's user. So that the task waits for a writer who comes later, where
 * a read would find the end (poll(2) is silent until the first has come), and so that /dev/stdin can be opened: open(2) of a FIFO whose
 * writer has gone waits for another. Takes `in` over.
 */
struct terminal *stdin_relay_open(const struct spec *spec, int in, int *task_end, struct failure *failure);
/* What to wait for; NULL waits for nothing. */
void terminal_await(const struct terminal *terminal, struct pollfd waiting[TERMINAL_POLLS]);
/* Moves what can be moved, without waiting. */
void terminal_move(struct terminal *terminal, const struct pollfd waiting[TERMINAL_POLLS]);
void terminal_resize(const struct terminal *terminal, int rows, int columns);
/* What the task has said last, once nothing of it is left, a piece at a time; false: that was all. */
bool terminal_show(struct terminal *terminal, int wait_ms);
/* Lets go of what it shows to. */
void terminal_close(struct terminal *terminal);
/* Runs in the task's process, the leader of its session, whose descriptor 0 is the task's end. */
int terminal_control(const struct spec *spec, struct failure *failure);
