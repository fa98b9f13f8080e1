/*
 * Runs in the shim: carries what a task writes from a pipe into a log of bounded size. When the file is full
 * it becomes NAME.1, that one NAME.2, and so on; the oldest is dropped. Or the files are NAME.0, NAME.1 and
 * so on, and none is renamed (numbered.h).
 */
#pragma once
#include "failure.h"
#include "output_index.h"
#include "spec.h"

struct log_pump {
  /* Read end, held by the shim alone; -1: there is no pump, or all has been read. */
  int pipe;
  /* -1: it could not be made; tried again with the next bytes. */
  int file;
  /* The log's directory: names are only ever looked up in here, and no link is followed. */
  int dir;
  const char *name;
  int64_t max;
  int files;
  /* Of the file at hand, where they are numbered upwards; -1: they are renamed. */
  int number;
  bool has_group;
  gid_t group;
  /* Of the pipe, in bytes. */
  int capacity;
  /* When it was last emptied, and before when it is to be left alone, in boottime_ms(). */
  int64_t emptied_at, rests_until;
  /* How often in a row it was emptied soon after the last time. */
  int hurry;
  /* Where the order of the two streams is recorded, and which of them this is. */
  struct output_index *index;
  int stream;
  /* Of the file: its number, where we have last written to, and how many there were before it since the
   * start. */
  uint64_t inode;
  int64_t end;
  int64_t generation;
  /* This file system cannot splice. */
  bool copies;
  /* Somebody else writes this file too: each write goes to its end, wherever that is by then. */
  bool shared;
  /* Another shim writes the same log and rotates it: we append, and no more than all its files may hold. */
  bool is_second;
  /* Bytes that have come, whatever became of them. */
  int64_t carried;
  /* Of those, and of what it has written to the log: what is not kept. */
  int64_t dropped;
  /* Bytes, or a whole file, that could not be kept. The task must not be held up by a full disk: what cannot
   * be written is thrown away. */
  bool lossy;
  /* A whole file of this task's was dropped, the oldest: it has written more than is kept. */
  bool outgrown;
  int error;
};

#define NO_PUMP {.pipe = -1, .file = -1, .dir = -1}

enum pump_state { PUMP_MORE, PUMP_EMPTY, PUMP_END };

/* Takes `file` over, whatever happens. `name` must last as long as the pump. `number` is the file's, or -1.
 * Returns the end that the task writes to, or -1. */
int pump_open(struct log_pump *pump, int file, int number, const char *name, const struct file_target *target,
    const struct spec *spec, struct failure *failure);
/* Has what is written recorded in the index from now on. */
void pump_note_in(struct log_pump *pump, struct output_index *index, int stream);
/* The pipe to wait for, or -1 for as long as the pump rests; then `wake` is not later than the end of that.
 */
int pump_await(const struct log_pump *pump, int64_t now, int64_t *wake);
/* Moves what is there, up to a turn's worth. Never waits for the writer. */
enum pump_state pump_turn(struct log_pump *pump);
/* After the task's end: to the end of file, or until nothing comes for `wait_ms`, since somebody else may
 * hold the other end. True when all was kept, and still is. Lets go of the file. */
bool pump_drain(struct log_pump *pump, int wait_ms);
