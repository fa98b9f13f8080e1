/* Descriptors, files, time and numbers: the few things every other file needs. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

#define CLEANUP(function) __attribute__((cleanup(function)))
#define _cleanup_fd_ CLEANUP(close_fd)
#define _cleanup_free_ CLEANUP(free_pointer)
/* For what has a large buffer and is called rarely: inlined, it would make its caller's frame that large for
 * life. */
#define OWN_FRAME __attribute__((noinline))
#define PRINTF(text, rest) __attribute__((format(printf, text, rest)))

/* Closes and forgets; keeps errno, so that it may run between an error and its report. */
void close_fd(int *fd);
static inline void free_pointer(void *pointer) { free(*(void **)pointer); }

/* Closes every descriptor from 3 up, except the given ones, which it sorts (-1: none). */
void close_others(int *keep, size_t count);

bool write_all(int fd, const void *data, size_t size);
/* Opens, writes once, closes: for files of /proc and of cgroups, where one write is one command. */
bool write_file(const char *path, const char *value);
bool write_file_at(int dir, const char *path, const char *value);
/* Up to size - 1 bytes and a NUL; the count, or -1. */
ssize_t read_file_at(int dir, const char *path, char *buffer, size_t size);
/* The same of one that is open, from where it is. */
ssize_t read_to_end(int fd, char *buffer, size_t size);

/* Whole strings only; false for anything else. */
bool parse_number(const char *text, int64_t min, int64_t max, int64_t *value);
bool parse_octal(const char *text, mode_t *value);

int64_t realtime_ms(void);
/* Counts time spent suspended too: a grace period must not grow by a closed lid. */
int64_t boottime_ms(void);
void sleep_ms(int milliseconds);

/* Whole pages of their own, so that giving them back really gives them back. NULL when there are none. */
void *pages_allocate(size_t size);
void pages_release(void *pages, size_t size);
/* The children of a fork do not get these: what we write later would cost each of them its own old copy. */
void pages_keep_from_children(void *pages, size_t size);
/* Not in a core dump of whoever has these. */
void pages_keep_from_dumps(void *pages, size_t size);
/* Gives back the stack's pages below the caller's, which deeper calls of the past have used. */
void stack_trim(void);
/* And those from `end` up that hold frames of callers, to which nobody may return or look any more. What was
 * in them reads as zeros. */
void stack_trim_from(const void *end);
/* Whole pages of frames: the caller's, all its callers', and those of the past. Without a stack there is
 * none. */
struct page_range {
  uintptr_t start;
  size_t size;
};
struct page_range stack_frames(void);
size_t page_size(void);
