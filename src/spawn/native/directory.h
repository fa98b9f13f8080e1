/* The entries of a directory. */
#pragma once
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include "io.h"

/* For CLEANUP. */
static inline void close_directory(DIR **directory) {
  if (*directory != NULL) closedir(*directory);
}

/* A reader of its own: `directory` stays where it is. NULL with errno. */
static inline DIR *entries_of(int directory) {
  int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *entries = own < 0 ? NULL : fdopendir(own);
  if (entries == NULL) close_fd(&own);
  return entries;
}

static inline bool is_dots(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }
