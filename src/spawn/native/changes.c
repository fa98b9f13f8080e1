#include "changes.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "contents.h"
#include "directory.h"
#include "io.h"
#include "overlay.h"
#include "replace.h"
#include "system.h"
#include "unfinished.h"
#include "user_namespace.h"
#include "walk.h"

/* DEEPEST: each level takes two descriptors, and some of the stack. */
enum { DEEPEST = 200, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_CONFLICT = 3 };

/* How an entry of the directory now differs from what it was. */
enum kind { ADDED = 'A', CHANGED = 'M', DELETED = 'D' };

struct look {
  struct overlay_base base;
  /* Put in place, not told. */
  bool apply;
  /* Also what somebody else has changed meanwhile. */
  bool force;
  bool has_conflict;
  /* Where what is on its way to its place is written down. */
  int unfinished;
  struct contents contents;
  /* Of the entry at hand, from the top, with a slash at its end for what lies in it. */
  char *path;
  size_t length, capacity;
};

/* One directory on both sides. */
struct pair {
  /* In the overlay. */
  int upper;
  /* What is there on the host; -1: nothing that is a directory. */
  int host;
  /* Somebody has made, removed or renamed something in the latter since the task began. */
  bool host_changed;
  int depth;
};

/* The next name, or NULL: at the end, with errno 0, or for a reason. */
static const char *next_name(DIR *entries) {
  for (const struct dirent *entry; errno = 0, (entry = readdir(entries)) != NULL;)
    if (!is_dots(entry->d_name)) return entry->d_name;
  return NULL;
}

/* Whoever runs still may have taken it away, or put something else there. */
static bool is_gone(int error) { return error == ENOENT || error == ENOTDIR || error == ELOOP; }

static bool enter_name(struct look *look, const char *name, size_t *before) {
  const size_t more = strlen(name);
  *before = look->length;
  if (look->length + more + 2 > look->capacity) {
    const size_t capacity = 2 * (look->length + more + 2);
    char *larger = realloc(look->path, capacity);
    if (larger == NULL) return false;
    look->path = larger;
    look->capacity = capacity;
  }
  memcpy(look->path + look->length, name, more + 1);
  look->length += more;
  return true;
}

static void leave_name(struct look *look, size_t before) {
  look->length = before;
  look->path[before] = '\0';
}

/* What cannot be told, or done: the errno, and of which entry. */
static bool failed(const struct look *look, const char *what) {
  printf("! %d%c%s%c%s%c", errno, 0, look->path == NULL ? "" : look->path, 0, what, 0);
  return false;
}

/* An entry that differs. */
struct difference {
  enum kind kind;
  /* Of what is there now; of what was deleted, what was there. */
  const struct stat *status;
  bool conflict;
  /* What is there now, where that is a plain file, or what it says, where it is a link. */
  int file;
  const char *link;
  /* What is in its place on the host. */
  const struct pair *pair;
  const char *name;
};

static bool print_sides(const struct look *look, const struct difference *difference) {
  const struct contents *contents = &look->contents;
  if (!contents_print_entry(contents, difference->pair->host, difference->name)) return false;
  if (difference->kind == DELETED) return contents_print_none();
  if (S_ISREG(difference->status->st_mode))
    return contents_print_file(contents, difference->file, difference->status);
  return contents_print_text(difference->status, difference->link, strlen(difference->link));
}

static bool print_difference(const struct look *look, const struct difference *difference) {
  const struct stat *status = difference->status;
  if (!contents_are_asked(&look->contents, look->path)) return true;
  const bool printed = printf("%c%c%c %o %lld%c%s%c%s%c", (char)difference->kind, entry_type(status->st_mode),
                           difference->conflict ? '!' : '-', (unsigned)(status->st_mode & REPLACED_MODE),
                           S_ISREG(status->st_mode) ? (long long)status->st_size : 0LL, 0, look->path, 0,
                           difference->link, 0) > 0;
  return (printed && (look->contents.max_bytes == 0 || print_sides(look, difference))) ||
         failed(look, "output");
}

static bool is_later(const struct timespec *time, const struct timespec *since) {
  return time->tv_sec != since->tv_sec ? time->tv_sec > since->tv_sec : time->tv_nsec >= since->tv_nsec;
}

/* By the time that nobody can set: of a file's contents, owner, mode and names, of a directory's names. */
static bool changed_since(const struct look *look, const struct stat *status) {
  return is_later(&status->st_ctim, &look->base.since);
}

/* 1: something at or below it has changed since, 0: nothing has, -1: errno. */
static int tree_changed(const struct look *look, int directory, const char *name, int depth) {
  struct stat status;
  if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return is_gone(errno) ? 0 : -1;
  if (changed_since(look, &status)) return 1;
  if (!S_ISDIR(status.st_mode)) return 0;
  if (depth == DEEPEST) return errno = ELOOP, -1;
  _cleanup_fd_ int inner = open_inner(directory, name);
  if (inner < 0) return is_gone(errno) ? 0 : -1;
  CLEANUP(close_directory) DIR *entries = entries_of(inner);
  if (entries == NULL) return -1;
  const char *next;
  while ((next = next_name(entries)) != NULL) {
    int changed = tree_changed(look, inner, next, depth + 1);
    if (changed != 0) return changed;
  }
  return errno == 0 ? 0 : -1;
}

/*
 * Tells of a change, or carries it out by `act`. A conflict stops what is applied, unless forced: it has come
 * up since all was looked at.
 */
static bool report(struct look *look, const struct difference *difference, bool *go_on) {
  *go_on = look->apply;
  if (!look->apply) {
    look->has_conflict |= difference->conflict;
    return print_difference(look, difference);
  }
  if (!difference->conflict || look->force) return true;
  errno = EBUSY;
  return failed(look, "conflict");
}

/* Its mark: 'y' says that nothing of the directory beneath shows through. Of a file or a directory also
 * whether it was one from beneath. */
static bool has_mark(const struct look *look, int file, const char *mark, char value) {
  char name[64], found[256];
  snprintf(name, sizeof name, "%s.overlay.%s", look->base.of_user ? "user" : "trusted", mark);
  ssize_t length = fgetxattr(file, name, found, sizeof found);
  if (value == '\0') return length >= 0 || errno == ERANGE;
  return length == 1 && found[0] == value;
}

typedef bool visitor(struct look *look, const struct pair *pair, const char *name);

static bool visit_each(struct look *look, const struct pair *pair, int directory, visitor *one);

static bool visit_deleted(struct look *look, const struct pair *pair, const char *name);

/* What goes with a directory that is none any more: it stands for all in it, but where contents are told. */
static bool visit_beneath(struct look *look, const struct pair *pair, const char *name) {
  size_t before;
  if (look->contents.max_bytes == 0) return true;
  if (pair->depth == DEEPEST) return errno = ELOOP, failed(look, "depth");
  _cleanup_fd_ int host = open_inner(pair->host, name);
  if (host < 0) return is_gone(errno) || failed(look, "host");
  if (!enter_name(look, "/", &before)) return failed(look, "memory");
  const struct pair inner = {.upper = -1, .host = host, .depth = pair->depth + 1};
  if (!visit_each(look, &inner, host, visit_deleted)) return false;
  leave_name(look, before);
  return true;
}

static bool visit_deleted(struct look *look, const struct pair *pair, const char *name) {
  struct stat status;
  bool go_on;
  if (pair->host < 0) return true;
  if (fstatat(pair->host, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT || failed(look, "host");
  int changed = tree_changed(look, pair->host, name, pair->depth);
  if (changed < 0) return failed(look, "host");
  if (S_ISDIR(status.st_mode) && !visit_beneath(look, pair, name)) return false;
  const struct difference difference = {
      DELETED, &status, .conflict = changed == 1, .file = -1, .link = "", .pair = pair, .name = name};
  if (!report(look, &difference, &go_on)) return false;
  return !go_on || remove_tree(pair->host, name) || failed(look, "remove");
}

/* What is on the host in the place of an entry. */
struct found {
  bool there;
  struct stat status;
  bool conflict;
};

/*
 * `was_beneath`: it is a copy of what was there, or of what has since been renamed to it. Then that nothing
 * is there any more is somebody else's doing, if names have changed in its directory.
 */
static bool find_on_host(const struct look *look, const struct pair *pair, const char *name, bool was_beneath,
    struct found *found) {
  *found = (struct found){0};
  if (pair->host < 0) return true;
  found->there = fstatat(pair->host, name, &found->status, AT_SYMLINK_NOFOLLOW) == 0;
  if (!found->there && errno != ENOENT) return false;
  if (!found->there) {
    found->conflict = was_beneath && pair->host_changed;
    return true;
  }
  int changed = tree_changed(look, pair->host, name, pair->depth);
  found->conflict = changed != 0;
  return changed >= 0;
}

static bool was_directory(const struct found *found) {
  return found->there && S_ISDIR(found->status.st_mode);
}

static bool same_mode(const struct stat *one, const struct stat *other) {
  return ((one->st_mode ^ other->st_mode) & (S_IFMT | REPLACED_MODE)) == 0;
}

static bool visit_file(struct look *look, const struct pair *pair, const char *name) {
  struct found found;
  struct stat status;
  bool go_on;
  _cleanup_fd_ int file = open_file(pair->upper, name, &status);
  if (file < 0) return is_gone(errno) || failed(look, "open");
  if (!find_on_host(look, pair, name, has_mark(look, file, "origin", '\0'), &found))
    return failed(look, "host");
  if (found.there && same_mode(&status, &found.status)) {
    int same = same_contents(file, &status, pair->host, name);
    if (same != 0) return same > 0 || failed(look, "compare");
  }
  const struct difference difference = {found.there ? CHANGED : ADDED, &status, .conflict = found.conflict,
      .file = file, .link = "", .pair = pair, .name = name};
  if (was_directory(&found) && !visit_beneath(look, pair, name)) return false;
  if (!report(look, &difference, &go_on)) return false;
  const struct owner owner = owner_of(&status, &look->base);
  char way[TEMPORARY_SIZE];
  if (!go_on) return true;
  return (unfinished_note(look->unfinished, look->path, way) &&
             replace_file(file, &status, &owner, pair->host, way, name)) ||
         failed(look, "write");
}

static bool visit_link(
    struct look *look, const struct pair *pair, const char *name, const struct stat *seen) {
  struct found found;
  bool go_on;
  char text[PATH_MAX], other[PATH_MAX];
  ssize_t length = readlinkat(pair->upper, name, text, sizeof text - 1);
  if (length < 0) return is_gone(errno) || errno == EINVAL || failed(look, "open");
  text[length] = '\0';
  if (!find_on_host(look, pair, name, false, &found)) return failed(look, "host");
  if (found.there && S_ISLNK(found.status.st_mode)) {
    ssize_t there = readlinkat(pair->host, name, other, sizeof other);
    if (there == length && memcmp(text, other, (size_t)length) == 0) return true;
  }
  const struct difference difference = {found.there ? CHANGED : ADDED, seen, .conflict = found.conflict,
      .file = -1, .link = text, .pair = pair, .name = name};
  if (was_directory(&found) && !visit_beneath(look, pair, name)) return false;
  if (!report(look, &difference, &go_on)) return false;
  const struct owner owner = owner_of(seen, &look->base);
  char way[TEMPORARY_SIZE];
  if (!go_on) return true;
  return (unfinished_note(look->unfinished, look->path, way) &&
             replace_link(text, &owner, pair->host, way, name)) ||
         failed(look, "write");
}

/* Never put in place, and in nobody's way: what is there on the host stays. */
static bool visit_other(
    struct look *look, const struct pair *pair, const char *name, const struct stat *seen) {
  struct stat status;
  if (look->apply) return true;
  bool there = pair->host >= 0 && fstatat(pair->host, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
  const struct difference difference = {
      there ? CHANGED : ADDED, seen, .file = -1, .link = "", .pair = pair, .name = name};
  return print_difference(look, &difference);
}

static bool visit_all(struct look *look, const struct pair *pair, bool hides);

/* A directory that was made, or has come into the place of something else. */
static bool visit_new_directory(struct look *look, const struct pair *pair, const char *name, int upper,
    const struct stat *status, const struct found *found) {
  bool go_on;
  struct pair inner = {.upper = upper, .host = -1, .depth = pair->depth + 1};
  const struct difference difference = {found->there ? CHANGED : ADDED, status, .conflict = found->conflict,
      .file = -1, .link = "", .pair = pair, .name = name};
  if (!report(look, &difference, &go_on)) return false;
  if (!go_on) return visit_all(look, &inner, false);
  const struct owner owner = owner_of(status, &look->base);
  char way[TEMPORARY_SIZE];
  _cleanup_fd_ int made = -1;
  if (unfinished_note(look->unfinished, look->path, way))
    made = replace_by_directory(&owner, pair->host, way, name);
  if (made < 0) return failed(look, "write");
  inner.host = made;
  if (!visit_all(look, &inner, false)) return false;
  return finish_mode(made, status) || failed(look, "write");
}

static bool visit_directory(struct look *look, const struct pair *pair, const char *name) {
  struct stat status;
  struct found found;
  if (pair->depth == DEEPEST) return errno = ELOOP, failed(look, "depth");
  _cleanup_fd_ int upper = open_inner(pair->upper, name);
  if (upper < 0 || fstat(upper, &status) != 0) return is_gone(errno) || failed(look, "open");
  struct stat there;
  if (pair->host < 0 || fstatat(pair->host, name, &there, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISDIR(there.st_mode)) {
    if (!find_on_host(look, pair, name, has_mark(look, upper, "origin", '\0'), &found))
      return failed(look, "host");
    return visit_new_directory(look, pair, name, upper, &status, &found);
  }
  _cleanup_fd_ int host = open_inner(pair->host, name);
  if (host < 0) return failed(look, "host");
  const bool other_mode = !same_mode(&status, &there);
  bool go_on;
  const struct difference difference = {CHANGED, &status, .file = -1, .link = "", .pair = pair, .name = name};
  if (other_mode && !report(look, &difference, &go_on)) return false;
  const struct pair inner = {
      .upper = upper, .host = host, .host_changed = changed_since(look, &there), .depth = pair->depth + 1};
  if (!visit_all(look, &inner, has_mark(look, upper, "opaque", 'y'))) return false;
  return !look->apply || !other_mode || finish_mode(host, &status) || failed(look, "write");
}

static bool visit(struct look *look, const struct pair *pair, const char *name) {
  struct stat status;
  if (fstatat(pair->upper, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return is_gone(errno) || failed(look, "open");
  if (S_ISDIR(status.st_mode)) {
    size_t before;
    if (!enter_name(look, "/", &before)) return failed(look, "memory");
    return visit_directory(look, pair, name);
  }
  if (S_ISREG(status.st_mode)) return visit_file(look, pair, name);
  if (S_ISLNK(status.st_mode)) return visit_link(look, pair, name, &status);
  if (S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0)) return visit_deleted(look, pair, name);
  return visit_other(look, pair, name, &status);
}

static bool visit_hidden(struct look *look, const struct pair *pair, const char *name) {
  struct stat status;
  if (fstatat(pair->upper, name, &status, AT_SYMLINK_NOFOLLOW) == 0) return true;
  return errno == ENOENT ? visit_deleted(look, pair, name) : failed(look, "open");
}

static bool visit_each(struct look *look, const struct pair *pair, int directory, visitor *one) {
  size_t before;
  CLEANUP(close_directory) DIR *entries = entries_of(directory);
  if (entries == NULL) return failed(look, "open");
  for (const char *name; (name = next_name(entries)) != NULL;) {
    if (!enter_name(look, name, &before)) return failed(look, "memory");
    if (contents_lead_to(&look->contents, look->path) && !one(look, pair, name)) return false;
    leave_name(look, before);
  }
  return errno == 0 || failed(look, "open");
}

/* `hides`: nothing of the host's directory shows through, so that what is there alone was deleted. Told in
 * the order of the file systems. */
static bool visit_all(struct look *look, const struct pair *pair, bool hides) {
  if (hides && pair->host >= 0 && !visit_each(look, pair, pair->host, visit_hidden)) return false;
  return visit_each(look, pair, pair->upper, visit);
}

/* The very directory that the overlay was made over. */
static int open_workspace(struct look *look, const char *path) {
  struct stat status;
  int host = open_trusted(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, NULL);
  if (host < 0 || fstat(host, &status) != 0) return failed(look, "workspace"), -1;
  const bool same =
      status.st_ino == look->base.inode && status.st_uid == look->base.uid && status.st_gid == look->base.gid;
  if (same || look->force) return host;
  close_fd(&host);
  errno = ESTALE;
  return failed(look, "workspace"), -1;
}

enum way { PRINT, APPLY, CLEAN };

static int run(const char *directory, const char *workspace, struct look look, enum way way) {
  struct stat status;
  _cleanup_fd_ int own = open_trusted(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, NULL);
  if (own < 0 || !overlay_read_base(own, &look.base)) return failed(&look, "state"), EXIT_REFUSED;
  /* What a task of ours has made is ours, but maybe not ours to read. */
  enum mapped_ids ids;
  const char *step;
  if (look.base.of_user && !user_namespace_enter(&ids, &step) && errno != EPERM && errno != ENOSPC)
    return failed(&look, step), EXIT_REFUSED;
  _cleanup_fd_ int upper = openat(own, OVERLAY_UPPER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (upper < 0) return failed(&look, "state"), EXIT_REFUSED;
  _cleanup_fd_ int host = open_workspace(&look, workspace);
  if (host < 0 || fstat(host, &status) != 0) return EXIT_REFUSED;
  if (way == CLEAN || way == APPLY)
    if (!unfinished_remove(own, host)) return failed(&look, "unfinished"), EXIT_REFUSED;
  if (way == CLEAN) return 0;
  if (!enter_name(&look, "", &(size_t){0})) return EXIT_REFUSED;
  struct pair top = {.upper = upper, .host = host, .host_changed = changed_since(&look, &status)};
  const bool hides = has_mark(&look, upper, "opaque", 'y');
  if (!visit_all(&look, &top, hides)) return EXIT_REFUSED;
  if (way != APPLY) return 0;
  if (look.has_conflict && !look.force) return EXIT_CONFLICT;
  _cleanup_fd_ int unfinished = unfinished_open(own);
  if (unfinished < 0) return failed(&look, "state"), EXIT_REFUSED;
  look.unfinished = unfinished;
  look.apply = true;
  /* By now names change by our own doing. */
  top.host_changed = false;
  const bool done = visit_all(&look, &top, hides);
  (void)unfinished_remove(own, host);
  if (!done) return EXIT_REFUSED;
  return syncfs(host) == 0 ? 0 : (failed(&look, "sync"), EXIT_REFUSED);
}

/* MAX_CONTENTS: bytes of one file. */
enum { MAX_CONTENTS = 64 * 1024 * 1024 };

static bool parse_contents(char **arguments, struct contents *contents) {
  int64_t max_bytes;
  if (!parse_number(arguments[0], 1, MAX_CONTENTS, &max_bytes)) return false;
  *contents = (struct contents){.max_bytes = (size_t)max_bytes, .only = arguments + 1};
  return true;
}

static int print_all(const char *directory, const char *workspace, struct look look) {
  _cleanup_free_ char *buffer = malloc(look.contents.max_bytes + 1);
  look.contents.buffer = buffer;
  return buffer != NULL ? run(directory, workspace, look, PRINT) : (failed(&look, "memory"), EXIT_REFUSED);
}

int changes_run(char **arguments) {
  size_t count = 0;
  while (arguments[count] != NULL) count++;
  if (count < 3) return EXIT_USAGE;
  const char *verb = arguments[0];
  struct look look = {.force = count == 4 && strcmp(arguments[3], "force") == 0};
  const bool with_contents = count >= 4 && strcmp(verb, "contents") == 0;
  enum way way = PRINT;
  if (strcmp(verb, "apply") == 0) way = APPLY;
  else if (strcmp(verb, "clean") == 0) way = CLEAN;
  if (with_contents
          ? !parse_contents(arguments + 3, &look.contents)
          : (way == PRINT && strcmp(verb, "changes") != 0) || (count != 3 && !(way == APPLY && look.force)))
    return EXIT_USAGE;
  /* What was left has a name that nothing else has, whichever directory it is by now. */
  look.force |= way == CLEAN;
  umask(0);
  int code = with_contents ? print_all(arguments[1], arguments[2], look)
                           : run(arguments[1], arguments[2], look, way);
  printf("= %d%c%c%c", code, 0, 0, 0);
  return fflush(stdout) == 0 ? code : EXIT_REFUSED;
}
