#include "numbered.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "directory.h"

/* A log that is shipped by others, of whatever user, is read by them: 0644, as Nomad's own collector has it.
 */
enum { FLAGS = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, MODE = 0644, MAX_TRIES = 64 };
enum { MAX_DIGITS = 9, MAX_PATH = NAME_MAX + 32 };

static void name_of(char *path, const char *name, int number) {
  snprintf(path, MAX_PATH, "%s.%d", name, number);
}

/* Of an entry NAME.N; -1: it is none. One with more digits, or a zero before them, no shim has made. */
static int number_of(const char *entry, const char *name) {
  size_t length = strlen(name);
  if (strncmp(entry, name, length) != 0 || entry[length] != '.') return -1;
  const char *digits = entry + length + 1;
  int64_t number;
  for (const char *at = digits; *at != '\0'; at++)
    if (!isdigit((unsigned char)*at)) return -1;
  if (strlen(digits) > MAX_DIGITS || (digits[0] == '0' && digits[1] != '\0')) return -1;
  return parse_number(digits, 0, INT_MAX, &number) ? (int)number : -1;
}

/* Nobody but our own user could have made it so. */
static bool is_ours(const struct stat *status) {
  return S_ISREG(status->st_mode) && status->st_nlink == 1 && status->st_uid == geteuid() &&
         (status->st_mode & 022) == 0;
}

static bool is_our_entry(int dir, const char *entry) {
  struct stat status;
  return fstatat(dir, entry, &status, AT_SYMLINK_NOFOLLOW) == 0 && is_ours(&status);
}

/* A neighbour's: never written to, and not to be taken for a log of ours. */
static int set_aside(int dir, const char *entry) {
  char aside[NAME_MAX + sizeof "..planted"];
  snprintf(aside, sizeof aside, ".%.*s.planted", NAME_MAX, entry);
  return renameat(dir, entry, dir, aside) == 0 ? 0 : unlinkat(dir, entry, 0);
}

/* The highest of ours; -1: there is none. */
static int find_highest(DIR *entries, int dir, const char *name) {
  int highest = -1;
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
    int number = number_of(entry->d_name, name);
    if (number < 0) continue;
    if (!is_our_entry(dir, entry->d_name)) set_aside(dir, entry->d_name);
    else if (number > highest) highest = number;
  }
  return highest;
}

static void remove_older(DIR *entries, int dir, const char *name, int first) {
  rewinddir(entries);
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
    int number = number_of(entry->d_name, name);
    if (number >= 0 && number < first) unlinkat(dir, entry->d_name, 0);
  }
}

/* What was put in its place meanwhile goes; what does not go costs a number. */
static int create_from(int dir, const char *name, int *number) {
  char path[MAX_PATH];
  for (int tries = 0; tries < MAX_TRIES; tries++) {
    name_of(path, name, *number);
    int fd = openat(dir, path, FLAGS | O_CREAT | O_EXCL, MODE);
    if (fd >= 0 || errno != EEXIST) return fd;
    if (is_our_entry(dir, path) || set_aside(dir, path) != 0) ++*number;
  }
  return errno = EEXIST, -1;
}

int numbered_open(int dir, const char *name, int files, int *number) {
  CLEANUP(close_directory) DIR *entries = entries_of(dir);
  if (entries == NULL) return -1;
  int highest = find_highest(entries, dir, name);
  *number = highest < 0 ? 0 : highest;
  remove_older(entries, dir, name, *number - files + 1);
  if (highest < 0) return create_from(dir, name, number);
  char path[MAX_PATH];
  struct stat status;
  name_of(path, name, *number);
  _cleanup_fd_ int fd = openat(dir, path, FLAGS);
  if (fd < 0 || fstat(fd, &status) != 0 || !is_ours(&status)) return create_from(dir, name, number);
  int kept = fd;
  fd = -1;
  return kept;
}

int numbered_next(int dir, const char *name, int files, int *number) {
  char path[MAX_PATH];
  int next = *number + 1;
  name_of(path, name, next - files);
  if (next >= files) unlinkat(dir, path, 0);
  int fd = create_from(dir, name, &next);
  /* Numbers that were skipped have none behind them. */
  for (int older = *number + 2 - files; fd >= 0 && older <= next - files; older++) {
    if (older < 0) continue;
    name_of(path, name, older);
    unlinkat(dir, path, 0);
  }
  if (fd >= 0) *number = next;
  return fd;
}
