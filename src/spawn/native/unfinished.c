#include "unfinished.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io.h"
#include "overlay.h"
#include "replace.h"

#define PREFIX ".holdfast-"
/* LARGEST: a path as deep as any that is put in place. */
enum { LARGEST = 64 * 1024 };

int unfinished_open(int own) {
  return openat(own, OVERLAY_UNFINISHED, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* Of `a/b` and of `a/b/` what comes before `b`. */
static size_t above(const char *path) {
  size_t length = strlen(path);
  while (length > 0 && path[length - 1] == '/') length--;
  while (length > 0 && path[length - 1] != '/') length--;
  return length;
}

bool unfinished_note(int record, const char *path, char name[TEMPORARY_SIZE]) {
  uint64_t number;
  if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) return false;
  snprintf(name, TEMPORARY_SIZE, PREFIX "%016" PRIx64, number);
  const size_t directory = above(path), size = directory + strlen(name) + 1;
  _cleanup_free_ char *text = malloc(size);
  if (text == NULL) return false;
  memcpy(text, path, directory);
  memcpy(text + directory, name, size - directory);
  /* Up to its NUL it is this one, whatever a longer one has left behind it. */
  return lseek(record, 0, SEEK_SET) == 0 && write_all(record, text, size);
}

/* The directory that `path` lies in, by no link and through no mount. */
static int enter(int host, char *path) {
  int directory = open_inner(host, ".");
  for (char *slash; directory >= 0 && (slash = strchr(path, '/')) != NULL; path = slash + 1) {
    *slash = '\0';
    int inner = open_inner(directory, path);
    close_fd(&directory);
    directory = inner;
  }
  return directory;
}

static bool remove_noted(int host, char *path) {
  const char *name = path + above(path);
  if (strncmp(name, PREFIX, strlen(PREFIX)) != 0) return true;
  _cleanup_fd_ int directory = enter(host, path);
  /* Somebody has taken its directory away, or put something else there. */
  if (directory < 0) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EXDEV;
  if (unlinkat(directory, name, 0) == 0 || errno == ENOENT) return true;
  return (errno == EISDIR || errno == EPERM) && unlinkat(directory, name, AT_REMOVEDIR) == 0;
}

bool unfinished_remove(int own, int host) {
  _cleanup_free_ char *text = malloc(LARGEST);
  if (text == NULL) return false;
  if (read_file_at(own, OVERLAY_UNFINISHED, text, LARGEST) < 0) return errno == ENOENT;
  return remove_noted(host, text) && unlinkat(own, OVERLAY_UNFINISHED, 0) == 0;
}
