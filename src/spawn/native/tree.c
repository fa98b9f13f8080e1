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
#include "process.h"
#include "record.h"

static bool list_add(struct process_list *list, pid_t pid) {
  for (size_t i = 0; i < list->count; i++)
    if (list->processes[i].pid == pid) return false;
  if (list->count == list->capacity) {
    size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
    struct identity *grown = realloc(list->processes, capacity * sizeof *grown);
    if (grown == NULL) return false;
    list->processes = grown;
    list->capacity = capacity;
  }
  list->processes[list->count++] = (struct identity){.pid = pid};
  return true;
}

static void add_children(pid_t pid, struct process_list *list) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *threads = opendir(path);
  if (threads == NULL) return;
  /* Children hang on the thread that forked them. */
  for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
    if (thread->d_name[0] == '.' || strlen(thread->d_name) > 10) continue;
    snprintf(path, sizeof path, "/proc/%d/task/%.10s/children", pid, thread->d_name);
    if (read_file_at(AT_FDCWD, path, text, sizeof text) <= 0) continue;
    for (char *next = text, *end;; next = end) {
      long child = strtol(next, &end, 10);
      /* A number cut by the buffer's end must not be killed: another pass finds the rest. */
      if (end == next || *end != ' ') break;
      list_add(list, (pid_t)child);
    }
  }
  closedir(threads);
}

/* All that descends from us. We are the subreaper: whoever loses its parent comes to us, so none can leave
 * this tree. */
static void add_descendants(struct process_list *list, bool stop) {
  add_children(getpid(), list);
  for (size_t i = 0; i < list->count; i++) {
    if (stop) kill(list->processes[i].pid, SIGSTOP);
    add_children(list->processes[i].pid, list);
  }
}

/* A number that still is a session's is no other process's. */
static void add_session(struct process_list *list, pid_t leader) {
  enum { SESSION = 6 };
  DIR *processes = opendir("/proc");
  if (processes == NULL) return;
  for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
    int64_t pid;
    char path[64], stat[1024];
    if (!parse_number(entry->d_name, 1, INT32_MAX, &pid)) continue;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (read_file_at(AT_FDCWD, path, stat, sizeof stat) <= 0 ||
        stat_number(stat, SESSION) != (uint64_t)leader)
      continue;
    list_add(list, (pid_t)pid);
  }
  closedir(processes);
}

/* Stopped ones cannot fork; when a walk finds nobody new, all are stopped and all are known. */
static void sweep(void) {
  struct process_list list = {0};
  size_t before;
  int walks = 0;
  do {
    before = list.count;
    add_descendants(&list, true);
  } while (list.count != before && ++walks < 100);
  for (size_t i = 0; i < list.count; i++) kill(list.processes[i].pid, SIGKILL);
  free(list.processes);
}

/* Named while it is surely the one that was found. One that has gone by now was killed by its parent or by
 * itself. */
static void stop_session_process(struct process_list *list, size_t index) {
  struct identity *process = &list->processes[index];
  if (process->start == 0) *process = identify(process->pid);
  if (process->start == 0) *process = list->processes[--list->count];
  else if (process_is_alive(process)) {
    kill(process->pid, SIGSTOP);
    add_children(process->pid, list);
  }
}

static void add_member(pid_t pid, void *context) { list_add(context, pid); }

/*
 * The exec session's descendants, those of its session who have lost their parents, and who is in a cgroup of
 * its own; all stopped before any of them dies, which would take its children out of reach. Who has left all
 * of them is the task's.
 */
static void sweep_session(struct tree *tree) {
  struct process_list *list = &tree->killed;
  size_t before;
  int walks = 0;
  do {
    before = list->count;
    add_children(getpid(), list);
    if (tree->leader > 0) add_session(list, tree->leader);
    if (tree->cgroup != NULL) cgroup_members(tree->cgroup, add_member, list);
    for (size_t i = 0; i < list->count; i++) stop_session_process(list, i);
  } while (list->count != before && ++walks < 100);
  for (size_t i = 0; i < list->count; i++)
    if (process_is_alive(&list->processes[i])) kill(list->processes[i].pid, SIGKILL);
}

void tree_kill(struct tree *tree) {
  if (tree->is_exec_session) {
    sweep_session(tree);
    return;
  }
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
  for (size_t i = 0; i < tree->killed.count; i++)
    if (process_is_alive(&tree->killed.processes[i])) return false;
  if (tree->has_namespace || tree->cgroup == NULL) return childless;
  return cgroup_kill(tree->cgroup, tree->freezer) && childless;
}

static void add_survivor(pid_t pid, void *context) {
  struct survivors *survivors = context;
  if (survivors->count < MAX_SURVIVORS) survivors->pids[survivors->count++] = pid;
}

static void name_survivors(const struct tree *tree, struct survivors *survivors) {
  if (tree->cgroup != NULL) {
    cgroup_members(tree->cgroup, add_survivor, survivors);
    if (survivors->count > 0) return;
  }
  struct process_list list = {0};
  add_descendants(&list, false);
  for (size_t i = 0; i < list.count; i++)
    if (list.processes[i].pid != tree->stub) add_survivor(list.processes[i].pid, survivors);
  free(list.processes);
  for (size_t i = 0; i < tree->killed.count; i++)
    if (process_is_alive(&tree->killed.processes[i])) add_survivor(tree->killed.processes[i].pid, survivors);
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
