#include "cgroup_leaf.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cgroup.h"

/* A task that forks all the time is not outrun in one pass. */
enum { MAX_ROOM_MS = 5000 };

bool cgroup_leaf(char path[PATH_MAX], const char *dir) { return cgroup_file_path(path, dir, "task"); }

OWN_FRAME bool cgroup_remove_leaf(const char *dir) {
  char leaf[PATH_MAX];
  return cgroup_leaf(leaf, dir) && rmdir(leaf) == 0;
}

struct move {
  const char *leaf;
  int error;
};

/* ESRCH: it has gone meanwhile, or is a zombie, which forks no more. */
static void move_member(pid_t pid, void *context) {
  struct move *move = context;
  char text[16];
  snprintf(text, sizeof text, "%d", pid);
  if (!cgroup_write(move->leaf, "cgroup.procs", text) && errno != ESRCH) move->error = errno;
}

/* Who is forked by one that has moved is there from birth; for the others the next pass comes. */
static int move_members(const char *dir, const char *leaf) {
  struct move move = {.leaf = leaf};
  _cleanup_fd_ int directory = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return errno;
  cgroup_members_at(directory, move_member, &move);
  return move.error;
}

static bool has_word(const char *text, const char *word) {
  size_t length = strlen(word);
  for (const char *found = text; (found = strstr(found, word)) != NULL; found += length)
    if ((found == text || found[-1] == ' ') && strchr(" \n", found[length]) != NULL) return true;
  return false;
}

static bool is_limited(const struct cgroup *session, const char *controller) {
  size_t length = strlen(controller);
  for (const struct cgroup_file *file = session->files; file != NULL; file = file->next) {
    const char *name = file->name + (file->name[0] == '?');
    if (strncmp(name, controller, length) == 0 && name[length] == '.') return true;
  }
  return false;
}

static bool read_words(const char *dir, const char *name, char *text, size_t size) {
  char path[PATH_MAX];
  return cgroup_file_path(path, dir, name) && read_file_at(AT_FDCWD, path, text, size) >= 0;
}

/*
 * memory and pids also where they limit nothing: they count. cpu would give the task and its session the
 * same share. Memory first: nobody can join any more then, where pids and cpu alone would let him.
 */
static OWN_FRAME int switch_on(const char *dir, const struct cgroup *session) {
  static const char *const names[] = {"memory", "pids", "cpu"};
  char there[1024], on[1024], word[16];
  if (!read_words(dir, "cgroup.controllers", there, sizeof there) ||
      !read_words(dir, "cgroup.subtree_control", on, sizeof on))
    return errno;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    bool wanted = strcmp(names[i], "cpu") != 0 || is_limited(session, names[i]);
    if (!wanted || !has_word(there, names[i]) || has_word(on, names[i])) continue;
    snprintf(word, sizeof word, "+%s", names[i]);
    if (!cgroup_write(dir, "cgroup.subtree_control", word)) return errno;
  }
  return 0;
}

OWN_FRAME int cgroup_make_room(const struct cgroup *session, struct failure *failure) {
  char task[PATH_MAX], leaf[PATH_MAX];
  if (!cgroup_parent(task, session->dir) || !cgroup_is_v2(task)) return 0;
  if (!cgroup_leaf(leaf, task) || (mkdir(leaf, 0755) != 0 && errno != EEXIST))
    return fail(failure, STAGE_CGROUP, errno, "%s/task", task);
  for (int64_t deadline = boottime_ms() + MAX_ROOM_MS;; sleep_ms(1)) {
    int error = move_members(task, leaf);
    if (error != 0) return fail(failure, STAGE_CGROUP, error, "%s/cgroup.procs", leaf);
    error = switch_on(task, session);
    if (error == 0) break;
    if (error != EBUSY || boottime_ms() > deadline)
      return fail(failure, STAGE_CGROUP, error, "%s/cgroup.subtree_control", task);
  }
  /* What is reserved for the task is for its leaf, but for what its sessions reserve of that. */
  cgroup_write(leaf, "memory.low", "max");
  return 0;
}
