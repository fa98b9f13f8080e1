#include "cgroup.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "cgroup_leaf.h"
#include "directory.h"
#include "system.h"

bool cgroup_file_path(char path[PATH_MAX], const char *dir, const char *name) {
  return snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX || (errno = ENAMETOOLONG, false);
}

bool cgroup_write(const char *dir, const char *name, const char *value) {
  char path[PATH_MAX];
  return cgroup_file_path(path, dir, name) && write_file(path, value);
}

/* A cgroup found in our way holds an earlier run's leftovers, and its counters are that run's too: a fresh
 * one is better where rmdir allows it. */
static bool clear_leaf(const char *dir, const char *freezer) {
  struct stat status;
  char state[PATH_MAX];
  bool freezes = cgroup_file_path(state, dir, "freezer.state") && stat(state, &status) == 0;
  int64_t deadline = boottime_ms() + 5000;
  while (!cgroup_kill(dir, freezes ? dir : freezer)) {
    if (boottime_ms() > deadline) return errno = EBUSY, false;
    sleep_ms(2);
  }
  rmdir(dir);
  return mkdir(dir, 0755) == 0 || errno == EEXIST;
}

bool cgroup_parent(char parent[PATH_MAX], const char *dir) {
  const char *slash = strrchr(dir, '/');
  return slash != NULL && snprintf(parent, PATH_MAX, "%.*s", (int)(slash - dir), dir) < PATH_MAX;
}

/* In a hierarchy of v1 that the task is not in, the place of its cgroup is where an exec session's are. */
static bool make(const char *dir, bool inside) {
  char parent[PATH_MAX];
  if (mkdir(dir, 0755) == 0) return true;
  if (!inside || errno != ENOENT || !cgroup_parent(parent, dir)) return false;
  return (mkdir(parent, 0755) == 0 || errno == EEXIST) && mkdir(dir, 0755) == 0;
}

/* On v1 no limit of memory may be above that of memory and swap together, which an earlier task has left in
 * an external cgroup. What this one is to have comes after it. */
static bool write_above(const char *dir, const char *name, const char *value) {
  return errno == EINVAL && strcmp(name, "memory.limit_in_bytes") == 0 &&
         cgroup_write(dir, "memory.memsw.limit_in_bytes", "-1") && cgroup_write(dir, name, value);
}

int cgroups_create(const struct cgroup *cgroups, const char *freezer, bool inside, struct failure *failure) {
  for (const struct cgroup *cgroup = cgroups; cgroup != NULL; cgroup = cgroup->next) {
    if (inside && !cgroup->external && cgroup_make_room(cgroup, failure) != 0) return -1;
    if (!cgroup->external && !make(cgroup->dir, inside) &&
        (errno != EEXIST || !clear_leaf(cgroup->dir, freezer)))
      return fail(failure, STAGE_CGROUP, errno, "%s", cgroup->dir);
    for (const struct cgroup_file *file = cgroup->files; file != NULL; file = file->next) {
      bool optional = file->name[0] == '?';
      const char *name = file->name + optional;
      if (!cgroup_write(cgroup->dir, name, file->value) &&
          !(cgroup->external && write_above(cgroup->dir, name, file->value)) && !optional)
        return fail(failure, STAGE_CGROUP, errno, "%s/%s", cgroup->dir, name);
    }
  }
  return 0;
}

bool cgroup_is_v2(const char *dir) {
  struct statfs status;
  return statfs(dir, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

static const struct cgroup *first_of_v2(const struct cgroup *cgroups) {
  for (const struct cgroup *cgroup = cgroups; cgroup != NULL; cgroup = cgroup->next)
    if (cgroup_is_v2(cgroup->dir)) return cgroup;
  return NULL;
}

static OWN_FRAME pid_t fork_into(const char *dir) {
  _cleanup_fd_ int directory = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return directory < 0 ? -1 : sys_fork_into(directory);
}

static OWN_FRAME pid_t fork_into_leaf(const char *dir) {
  char leaf[PATH_MAX];
  return cgroup_leaf(leaf, dir) ? fork_into(leaf) : -1;
}

/*
 * To move even oneself, v2 takes cgroup_threadgroup_rwsem for writing, which after some quiet waits for an
 * RCU grace period: 12 ms in the median. Who is born there is not moved. Whatever this is refused for (an old
 * kernel, a filter of system calls, pids.max, a threaded cgroup), the other way says better, or may.
 */
pid_t cgroups_fork(const struct cgroup *cgroups, bool inside, const struct cgroup **joined) {
  *joined = first_of_v2(cgroups);
  if (*joined != NULL) {
    pid_t pid = fork_into((*joined)->dir);
    if (pid < 0 && errno == EBUSY && inside) pid = fork_into_leaf((*joined)->dir);
    if (pid >= 0) return pid;
    *joined = NULL;
  }
  return sys_fork();
}

static OWN_FRAME bool join_leaf(const char *dir) {
  char leaf[PATH_MAX];
  return cgroup_leaf(leaf, dir) && cgroup_write(leaf, "cgroup.procs", "0");
}

/*
 * On v1 through `tasks`: for "0" written there the kernel need not take cgroup_threadgroup_rwsem, which waits
 * for an RCU grace period (0.1 ms instead of up to several; cgroup_procs_write_start(), since Linux 5.18). We
 * are of one thread, so it is the same membership. v2 has no such file.
 */
static bool join(const char *dir, bool inside) {
  if (cgroup_write(dir, "tasks", "0")) return true;
  if (errno == ENOENT && cgroup_write(dir, "cgroup.procs", "0")) return true;
  return errno == EBUSY && inside && join_leaf(dir);
}

/* As many processors as any kernel is built for (NR_CPUS). */
enum { AFFINITY_WORDS = 8192 / (8 * sizeof(unsigned long)) };

struct affinity {
  unsigned long words[AFFINITY_WORDS];
  bool known;
};

static void affinity_read(struct affinity *affinity) {
  memset(affinity, 0, sizeof *affinity);
  affinity->known = syscall(SYS_sched_getaffinity, 0, sizeof affinity->words, affinity->words) >= 0;
}

/*
 * Before Linux 6.2 who joins a cpuset of v1 gets all of its processors, whatever he had been kept to. Those
 * that he had, as far as the cpuset has them; EINVAL: it has none of them, and its own it is.
 */
static bool affinity_narrow(const struct affinity *before) {
  struct affinity after;
  affinity_read(&after);
  bool widened = false;
  for (size_t i = 0; i < AFFINITY_WORDS; i++) widened |= (after.words[i] & ~before->words[i]) != 0;
  if (!before->known || !after.known || !widened) return true;
  return syscall(SYS_sched_setaffinity, 0, sizeof before->words, before->words) == 0 || errno == EINVAL;
}

static int keep_affinity(const struct affinity *before, struct failure *failure) {
  return affinity_narrow(before) ? 0 : fail(failure, STAGE_CGROUP, errno, "processors");
}

int cgroups_join(
    const struct cgroup *cgroups, const struct cgroup *joined, bool inside, struct failure *failure) {
  struct affinity before;
  affinity_read(&before);
  for (const struct cgroup *cgroup = cgroups; cgroup != NULL; cgroup = cgroup->next)
    if (cgroup != joined && !join(cgroup->dir, inside))
      return fail(failure, STAGE_CGROUP, errno, "%s/cgroup.procs", cgroup->dir);
  return keep_affinity(&before, failure);
}

/*
 * Those of them that are there. We are among the task's processes already: whoever makes one after this look,
 * or is about to (a cpuset without processors: ENOSPC), moves us there with the others.
 */
int cgroups_join_deferred(const struct cgroup *cgroups, struct failure *failure) {
  struct affinity before;
  affinity_read(&before);
  for (const struct cgroup *cgroup = cgroups; cgroup != NULL; cgroup = cgroup->next)
    if (!join(cgroup->dir, true) && errno != ENOENT && errno != ENODEV && errno != ENOSPC)
      return fail(failure, STAGE_CGROUP, errno, "%s/cgroup.procs", cgroup->dir);
  return keep_affinity(&before, failure);
}

void cgroup_members_at(int directory, void visit(pid_t pid, void *context), void *context) {
  _cleanup_fd_ int fd = openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char block[4096];
  int64_t pid = 0;
  for (ssize_t count; (count = read(fd, block, sizeof block)) > 0;)
    for (ssize_t i = 0; i < count; i++) {
      if (block[i] >= '0' && block[i] <= '9') {
        pid = pid * 10 + (block[i] - '0');
        continue;
      }
      /* 0 is a member that our own pid namespace cannot name; kill(0) would be our own group. */
      if (pid > 0 && pid <= INT_MAX) visit((pid_t)pid, context);
      pid = 0;
    }
}

/* Each group below it, then itself; by descriptor and name, so that its own can be removed. A level takes a
 * descriptor and some of the stack. */
static void walk(int at, const char *name, int levels, void visit(int at, const char *name, void *context),
    void *context) {
  int directory = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory < 0) return;
  CLEANUP(close_directory) DIR *entries = fdopendir(directory);
  if (entries == NULL) {
    close_fd(&directory);
    return;
  }
  for (const struct dirent *entry; levels > 0 && (entry = readdir(entries)) != NULL;)
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
      walk(directory, entry->d_name, levels - 1, visit, context);
  visit(at, name, context);
}

/* A task of somebody who may write to cgroups can make them as deep as it likes. */
enum { LEVELS = 32 };

struct visitor {
  void (*visit)(pid_t pid, void *context);
  void *context;
};

static void visit_members(int at, const char *name, void *context) {
  const struct visitor *visitor = context;
  _cleanup_fd_ int directory = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory >= 0) cgroup_members_at(directory, visitor->visit, visitor->context);
}

void cgroup_members(const char *dir, void visit(pid_t pid, void *context), void *context) {
  walk(AT_FDCWD, dir, LEVELS, visit_members, &(struct visitor){visit, context});
}

static void kill_member(pid_t pid, void *context) {
  kill(pid, SIGKILL);
  *(bool *)context = false;
}

/* A frozen member cannot fork, so none can escape between reading the list and killing it; SIGKILL is taken
 * at the thaw. */
static void freeze(const char *freezer) {
  if (!cgroup_write(freezer, "freezer.state", "FROZEN")) return;
  char path[PATH_MAX], state[32] = "";
  if (!cgroup_file_path(path, freezer, "freezer.state")) return;
  for (int i = 0; i < 50; i++) {
    if (read_file_at(AT_FDCWD, path, state, sizeof state) > 0 && strncmp(state, "FROZEN", 6) == 0) return;
    sleep_ms(1);
  }
}

bool cgroup_kill(const char *dir, const char *freezer) {
  bool empty = true;
  cgroup_members(dir, kill_member, &empty);
  if (empty) return true;
  if (cgroup_write(dir, "cgroup.kill", "1")) return false;
  if (freezer != NULL) {
    freeze(freezer);
    cgroup_members(freezer, kill_member, &empty);
    cgroup_members(dir, kill_member, &empty);
    cgroup_write(freezer, "freezer.state", "THAWED");
  }
  return false;
}

static void remove_one(int at, const char *name, void *context) {
  (void)context;
  unlinkat(at, name, AT_REMOVEDIR);
}

void cgroup_remove(const char *dir, const char *freezer) {
  /* A member is gone from wait()'s view slightly before the cgroup's count drops. Below it are those of exec
   * sessions, whose shims first read what was counted there, and then remove them. */
  for (int i = 0; i < 400; i++) {
    if (rmdir(dir) == 0 || errno != EBUSY) return;
    if (cgroup_remove_leaf(dir)) continue;
    if (i > 20) cgroup_kill(dir, freezer);
    if (i > 100) walk(AT_FDCWD, dir, LEVELS, remove_one, NULL);
    sleep_ms(i < 20 ? 1 : 5);
  }
}

void cgroup_remove_place(const char *dir) {
  char parent[PATH_MAX];
  if (cgroup_parent(parent, dir)) rmdir(parent);
}

static int64_t oom_kills_at(int at, const char *file) {
  char text[4096];
  if (read_file_at(at, file, text, sizeof text) < 0) return -1;
  for (char *line = text; line != NULL; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncmp(line, "oom_kill ", 9) == 0) return strtoll(line + 9, NULL, 10);
  }
  return -1;
}

/* Of v2, which counts in each group what is killed below it, too: those of the task, without those of exec
 * sessions, once these are groups below it. */
static OWN_FRAME int64_t oom_kills_without_sessions(const char *file, int64_t all) {
  char dir[PATH_MAX], leaf[PATH_MAX], path[PATH_MAX];
  if (!cgroup_parent(dir, file) || !cgroup_leaf(leaf, dir) || !cgroup_file_path(path, leaf, "memory.events"))
    return all;
  int64_t in_leaf = oom_kills_at(AT_FDCWD, path);
  if (in_leaf < 0) return all;
  /* Before it moved; before Linux 5.2 each group counts its own alone, and has no such file. */
  int64_t before = cgroup_file_path(path, dir, "memory.events.local") ? oom_kills_at(AT_FDCWD, path) : -1;
  return in_leaf + (before < 0 ? all : before);
}

int64_t oom_kills(const char *file) {
  int64_t all = file == NULL ? -1 : oom_kills_at(AT_FDCWD, file);
  const char *slash = file == NULL ? NULL : strrchr(file, '/');
  bool of_v2 = slash != NULL && strcmp(slash, "/memory.events") == 0;
  return all > 0 && of_v2 ? oom_kills_without_sessions(file, all) : all;
}

static void add_kills(int at, const char *name, void *context) {
  _cleanup_fd_ int directory = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int64_t count = directory < 0 ? -1 : oom_kills_at(directory, "memory.oom_control");
  if (count > 0) *(int64_t *)context += count;
}

int64_t oom_kills_below(const char *file) {
  char dir[PATH_MAX];
  int64_t sum = 0, own = oom_kills(file);
  if (own < 0 || !cgroup_parent(dir, file)) return 0;
  walk(AT_FDCWD, dir, LEVELS, add_kills, &sum);
  return sum > own ? sum - own : 0;
}

/* Documentation/admin-guide/cgroup-v1/memory.rst, 9 and 10. The kernel keeps what it needs of the file. */
int oom_watch(const char *file) {
  const char *slash = strrchr(file, '/');
  char directory[PATH_MAX], line[32];
  if (slash == NULL || snprintf(directory, sizeof directory, "%.*s", (int)(slash - file), file) >= PATH_MAX)
    return errno = EINVAL, -1;
  _cleanup_fd_ int control = open(file, O_RDONLY | O_CLOEXEC);
  _cleanup_fd_ int event = control < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) return -1;
  snprintf(line, sizeof line, "%d %d", event, control);
  if (!cgroup_write(directory, "cgroup.event_control", line)) return -1;
  int kept = event;
  event = -1;
  return kept;
}
