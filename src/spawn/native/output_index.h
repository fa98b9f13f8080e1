/*
 * Runs in the shim: says in which order the two streams of a task came, and when. Each record names a piece
 * of one log file. It lies with the task's records, out of the task's reach; docs/native-protocol.md has its
 * format.
 */
#pragma once
#include "io.h"

struct output_index {
  /* Of the task's records. */
  int dir;
  /* -1: not made yet, which the first bytes do, or it could not be. */
  int file;
  /* Bytes of one file, and how many there are: as many bytes as a share of the logs. */
  int64_t max, size;
  int files;
  /* Twice the number of rotations of each stream's log, and one more in the middle of one. */
  uint64_t turns[2];
  /* A record is missing: its bytes are in the log all the same. */
  int error;
};

#define NO_INDEX {.dir = -1, .file = -1}

void index_open(struct output_index *index, int dir, int64_t max_log, int log_files);
/* Bytes that are in the log by now: `position` and `length` in its file. */
void index_add(struct output_index *index, int stream, uint64_t inode, int64_t position, int64_t length);
/* Around the renames of a rotation, so that no reader takes one file for another. */
void index_turn(struct output_index *index, int stream);
