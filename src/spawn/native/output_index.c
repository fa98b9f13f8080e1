#include "output_index.h"
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ENTRY = 40, SHARE = 8, MIN_SIZE = 64 << 10, VERSION = 1 };

struct header {
  char magic[8];
  uint64_t version, turns[2], reserved;
};

struct entry {
  uint64_t at_us, inode, position;
  uint32_t length, generation, stream, check;
};

_Static_assert(
    sizeof(struct header) == ENTRY && sizeof(struct entry) == ENTRY, "the file is a row of entries");

/* FNV-1a. Tells an entry that was cut short by a full disk, or never finished, from a whole one. */
static uint32_t check_of(const void *data, size_t size) {
  const unsigned char *bytes = data;
  uint32_t sum = 2166136261u;
  for (size_t i = 0; i < size; i++) sum = (sum ^ bytes[i]) * 16777619u;
  return sum;
}

void index_open(struct output_index *index, int dir, int64_t max_log, int log_files) {
  int64_t max = max_log / SHARE < MIN_SIZE ? MIN_SIZE : max_log / SHARE;
  *index = (struct output_index){.dir = dir, .file = -1, .max = max - max % ENTRY, .files = log_files};
}

static bool write_at(struct output_index *index, const void *data, int64_t at) {
  if (pwrite(index->file, data, ENTRY, at) == ENTRY) return true;
  index->error = errno == 0 ? ENOSPC : errno;
  return false;
}

static bool write_header(struct output_index *index) {
  struct header header = {.magic = "HFINDEX",
      .version = htole64(VERSION),
      .turns = {htole64(index->turns[0]), htole64(index->turns[1])}};
  return write_at(index, &header, 0);
}

static void numbered(char text[32], int number) {
  if (number == 0) snprintf(text, 32, "output.index");
  else snprintf(text, 32, "output.index.%d", number);
}

/* As the logs are rotated: the oldest first. */
static OWN_FRAME bool begin(struct output_index *index) {
  char from[32], to[32];
  for (int number = index->files - 2; index->file >= 0 && number >= 0; number--) {
    numbered(from, number);
    numbered(to, number + 1);
    renameat(index->dir, from, index->dir, to);
  }
  /* A piece of an entry that did not fit on the disk. */
  if (index->file >= 0 && ftruncate(index->file, index->size) != 0) index->error = errno;
  close_fd(&index->file);
  index->file = openat(
      index->dir, "output.index", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  if (index->file < 0) return index->error = errno, false;
  index->size = ENTRY;
  return write_header(index);
}

void index_add(struct output_index *index, int stream, uint64_t inode, int64_t position, int64_t length) {
  if (index->dir < 0) return;
  if ((index->file < 0 || index->size + ENTRY > index->max) && !begin(index)) return;
  struct timespec now = {0};
  clock_gettime(CLOCK_REALTIME, &now);
  struct entry entry = {
      .at_us = htole64((uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000),
      .inode = htole64(inode),
      .position = htole64((uint64_t)position),
      .length = htole32((uint32_t)length),
      .generation = htole32((uint32_t)(index->turns[stream] / 2)),
      .stream = htole32((uint32_t)stream),
  };
  entry.check = htole32(check_of(&entry, offsetof(struct entry, check)));
  /* What could not be written is written over by the next. */
  if (write_at(index, &entry, index->size)) index->size += ENTRY;
}

void index_turn(struct output_index *index, int stream) {
  if (index->dir < 0) return;
  index->turns[stream]++;
  if (index->file >= 0) write_header(index);
}
