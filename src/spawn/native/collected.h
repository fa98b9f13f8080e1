/*
 * Runs in the shim: carries what a task writes from a pipe into a FIFO that a collector reads. A task that
 * had the FIFO itself would wait for ever, or die of SIGPIPE, when the collector has died.
 */
#pragma once
#include <poll.h>
#include "failure.h"
#include "spec.h"

struct collected {
  /* Read end, held by the shim alone; -1: there is none, or all has been read. */
  int pipe;
  /* Write end of the FIFO. */
  int fifo;
  /* Both ends of it, while nobody is known to read: what fits in is kept for who comes. */
  int held;
  /* Since when, in boottime_ms(), and how many bytes were in there when we last looked. */
  int64_t since;
  int unread;
  /* There is no room in the FIFO. */
  bool full;
  /* Bytes that were thrown away. */
  int64_t dropped;
};

#define NOT_COLLECTED {.pipe = -1, .fifo = -1, .held = -1}

/* Takes both descriptors over, whatever happens. Returns the end that the task writes to, or -1. */
int collected_open(
    struct collected *stream, int fifo, int held, const struct spec *spec, struct failure *failure);
/* What to wait for; `wake` is not later than when bytes are to be given up. */
struct pollfd collected_await(const struct collected *stream, int64_t now, int64_t *wake);
/* Whether that is now. */
bool collected_is_due(const struct collected *stream, int64_t now);
/* Moves what is there, up to a turn's worth. Waits for nobody. */
void collected_turn(struct collected *stream);
/* After the task's end: to the end of file and until the FIFO is empty, or to the deadline. True when all has
 * been read. */
bool collected_drain(struct collected *stream, int64_t deadline);
