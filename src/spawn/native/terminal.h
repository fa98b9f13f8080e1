/* Runs in the shim: a pseudo-terminal between a task and the files of its standard input and output. */
#pragma once
#include <poll.h>
#include "failure.h"
#include "spec.h"

enum { TERMINAL_POLLS = 4 };

struct terminal;

/*
 * Takes all four over. `in` is typed from, and so is `door`, a FIFO that never ends; -1: not. What it shows
 * goes to `out`. The terminal itself is made by the task's process, in the root where it will be seen, and
 * comes through the socket `console`. NULL: no memory.
 */
struct terminal *terminal_open(int in, int door, int out, int console, struct failure *failure);
/*
 * Between a FIFO and the task, where there is no terminal: a pipe of the task's user. So that the task waits
 * for a writer who comes later, where a read would find the end (poll(2) is silent until the first has come),
 * and so that /dev/stdin can be opened: open(2) of a FIFO whose writer has gone waits for another. Takes
 * `in`, or in its place `door`, over, and returns the task's end in *task_end.
 */
struct terminal *stdin_relay_open(
    const struct spec *spec, int in, int door, int *task_end, struct failure *failure);
/* What to wait for; NULL waits for nothing. */
void terminal_await(const struct terminal *terminal, struct pollfd waiting[TERMINAL_POLLS]);
/* Moves what can be moved, without waiting. */
void terminal_move(struct terminal *terminal, const struct pollfd waiting[TERMINAL_POLLS]);
void terminal_resize(struct terminal *terminal, int rows, int columns);
/* When what is in the door has been read, the task is told the end: of its pipe, or for this once at its
 * terminal. */
void terminal_end(struct terminal *terminal);
/* What the task has said last, once nothing of it is left, a piece at a time; false: that was all. */
bool terminal_show(struct terminal *terminal, int wait_ms);
/* Lets go of what it shows to. */
void terminal_close(struct terminal *terminal);
/* Runs in the task's process, in its root: makes the terminal its descriptors 0 to 2, and sends the other end
 * through `console`, which it closes. */
int terminal_enter(const struct spec *spec, int console, struct failure *failure);
/* Runs in the task's process, the leader of its session, whose descriptor 0 is the task's end. */
int terminal_control(const struct spec *spec, struct failure *failure);
