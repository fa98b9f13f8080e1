#include "contents.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "io.h"
#include "replace.h"

enum state { WHOLE = '=', TOO_LARGE = '>', UNREADABLE = '!' };

/* `inner` is `outer`, or lies in it. */
static bool is_in(const char *inner, const char *outer) {
  const size_t length = strlen(outer);
  return strncmp(inner, outer, length) == 0 && (inner[length] == '\0' || inner[length] == '/');
}

bool contents_are_asked(const struct contents *contents, const char *path) {
  bool any = false;
  for (char **only = contents->only; only != NULL && *only != NULL; only++) {
    if (is_in(path, *only)) return true;
    any = true;
  }
  return !any;
}

bool contents_lead_to(const struct contents *contents, const char *path) {
  if (contents_are_asked(contents, path)) return true;
  for (char **only = contents->only; *only != NULL; only++)
    if (is_in(*only, path)) return true;
  return false;
}

char entry_type(mode_t mode) {
  if (S_ISREG(mode)) return 'f';
  if (S_ISDIR(mode)) return 'd';
  return S_ISLNK(mode) ? 'l' : 'o';
}

static bool print_side(const struct stat *status, enum state state, const char *bytes, size_t count) {
  const long long size = S_ISREG(status->st_mode) ? (long long)status->st_size : 0LL;
  return printf("%c %o %lld %c %zu%c", entry_type(status->st_mode),
             (unsigned)(status->st_mode & REPLACED_MODE), size, (char)state, count, 0) > 0 &&
         fwrite(bytes, 1, count, stdout) == count;
}

bool contents_print_none(void) { return printf("- 0 0 = 0%c", 0) > 0; }

bool contents_print_text(const struct stat *status, const char *text, size_t length) {
  return print_side(status, WHOLE, text, length);
}

/* As much as there is, up to one byte more than is told; -1: errno. */
static ssize_t read_all(const struct contents *contents, int file) {
  size_t used = 0;
  while (used <= contents->max_bytes) {
    ssize_t count = pread(file, contents->buffer + used, contents->max_bytes + 1 - used, (off_t)used);
    if (count < 0 && errno != EINTR) return -1;
    if (count == 0) break;
    if (count > 0) used += (size_t)count;
  }
  return (ssize_t)used;
}

bool contents_print_file(const struct contents *contents, int file, const struct stat *status) {
  if (status->st_size > (off_t)contents->max_bytes) return print_side(status, TOO_LARGE, "", 0);
  const ssize_t count = read_all(contents, file);
  if (count < 0) return print_side(status, UNREADABLE, "", 0);
  if ((size_t)count > contents->max_bytes) return print_side(status, TOO_LARGE, "", 0);
  return print_side(status, WHOLE, contents->buffer, (size_t)count);
}

static bool print_link(int directory, const char *name, const struct stat *status) {
  char text[PATH_MAX];
  const ssize_t length = readlinkat(directory, name, text, sizeof text);
  if (length < 0) return print_side(status, UNREADABLE, "", 0);
  return contents_print_text(status, text, (size_t)length);
}

bool contents_print_entry(const struct contents *contents, int directory, const char *name) {
  struct stat status, opened;
  if (directory < 0 || fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return contents_print_none();
  if (S_ISLNK(status.st_mode)) return print_link(directory, name, &status);
  if (!S_ISREG(status.st_mode)) return contents_print_text(&status, "", 0);
  _cleanup_fd_ int file = open_file(directory, name, &opened);
  if (file < 0) return print_side(&status, UNREADABLE, "", 0);
  return contents_print_file(contents, file, &opened);
}
