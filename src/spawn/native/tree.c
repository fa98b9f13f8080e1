#include "tree.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cgroup.h"

struct pid_list {
  pid_t *pids;
  size_t count, capacity;
};

static bool list_add(struct pid_list *list, pid_t pid) {
  for (size_t i = 0; i < list->count; i++)
    if (list->pids[i] == pid) return false;
  if (list->count == list->capacity) {
    size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
    pid_t *grown = realloc(list->pids, capacity * sizeof *grown);
    if (grown == NULL) return false;
    list->pids = grown;
    list->capacity = capacity;
  }
  list->pids[list->count++] = pid;
  return true;
}

static void add_children(pid_t pid, struct pid_list *list) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *threads = opendir(path);
  if (threads == NULL) return;
  /* Children hang on the thread that forked them. */
  for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
    if (thread->d_name[0] == '.' || strlen(thread->d_name) > 10) continue;
    snprintf(path, sizeof path, "/proc/%d/task/%.10s/children", pid, thread->d_name);
    if (read_file_at(AT_FDCWD, path, text, sizeof text) <= 0) continue;
    for (char *next = text, *end; ; next = end) {
      long child = strtol(next, &end, 10);
      /* A number cut by the buffer's end must not be killed: another pass finds the rest. */
      if (end == next || *end != ' ') break;
      list_add(list, (pid_t)child);
    }
  }
  closedir(threads);
}

/* All that descends from us. We are the subreaper: whoever loses its parent comes to us, so none can leave this tree. */
static void add_descendants(struct pid_list *list, bool stop) {
  add_children(getpid(), list);
  for (size_t i = 0; i < list->count; i++) {
    if (stop) kill(list->pids[i], SIGSTOP);
    add_children(list->pids[i], list);
  }
}

/* Stopped ones cannot fork; when a walk finds nobody new, all are stopped and all are known. */
static void sweep(void) {
  struct pid_list list = {0};
  size_t before;
  int walks = 0;
  do {
    before = list.count;
    add_descendants(&list, true);
  } while (list.count != before && ++walks < 100);
  for (size_t i = 0; i < list.count; i++) kill(list.pids[i], SIGKILL);
  free(list.pids);
}

void tree_kill(const struct tree *tree) {
  if (tree->stub > 0) kill(tree->stub, SIGKILL);
  if (tree->leader > 0) {
    kill(-tree->leader, SIGKILL);
    kill(tree->leader, SIGKILL);
  }
  if (tree->has_namespace) return;
  if (tree->cgroup != NULL) cgroup_kill(tree->cgroup, tree->freezer);
  else sweep();
}

/* Never waits: a child in an uninterruptible sleep would take us with it. True when no child is left. */
static bool reap(struct tree *tree) {
  for (;;) {
    pid_t pid = waitpid(-1, NULL, WNOHANG);
    if (pid < 0) return errno == ECHILD;
    if (pid == 0) return false;
    if (pid == tree->stub) tree->stub = 0;
    if (pid == tree->leader) tree->leader = 0;
  }
}

static bool is_empty(struct tree *tree) {
  bool childless = reap(tree);
  if (tree->has_namespace || tree->cgroup == NULL) return childless;
  return cgroup_kill(tree->cgroup, tree->freezer) && childless;
}

static void note_survivor(pid_t pid, void *context) {
  struct survivors *survivors = context;
  if (survivors->count < SURVIVORS_MOST) survivors->pids[survivors->count++] = pid;
}

static void name_survivors(const struct tree *tree, struct survivors *survivors) {
  if (tree->cgroup != NULL) {
    cgroup_members(tree->cgroup, note_survivor, survivors);
    if (survivors->count > 0) return;
  }
  struct pid_list list = {0};
  add_descendants(&list, false);
  for (size_t i = 0; i < list.count; i++)
    if (list.pids[i] != tree->stub) note_survivor(list.pids[i], survivors);
  free(list.pids);
}

void tree_finish(struct tree *tree, int64_t deadline, struct survivors *survivors) {
  if (tree->stub > 0) kill(tree->stub, SIGKILL);
  /* SIGCHLD is blocked here and wakes nobody from a sleep; sigtimedwait takes it as soon as it comes. */
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  int pause_ms = 1;
  while (!is_empty(tree)) {
    if (boottime_ms() >= deadline) {
      name_survivors(tree, survivors);
      return;
    }
    tree_kill(tree);
    struct timespec pause = {.tv_sec = 0, .tv_nsec = pause_ms * 1000000L};
    sigtimedwait(&child, NULL, &pause);
    if (pause_ms < 50) pause_ms++;
  }
}
