#include "shim_state.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cgroup.h"
#include "process.h"
#include "system.h"

static int watch_signals(struct shim *shim) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR2);
  if (sigprocmask(SIG_SETMASK, &set, NULL) != 0 ||
      (shim->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
    return fail(&shim->failure, STAGE_FORK, errno, "signalfd");
  return 0;
}

/* Own session, nothing inherited but the way to answer. */
int shim_detach(struct shim *shim, int way) {
  setsid();
  /* One task must not find what another has put there. */
  sys_own_session_keyring();
  /* Nobody of the same user may read our memory: it holds the task's environment until exec. */
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  signal(SIGPIPE, SIG_IGN);
  umask(022);
  const int null = shim->platform->null;
  if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
    return fail(&shim->failure, STAGE_FORK, errno, "/dev/null");
  const int prepared_root = shim->spec == NULL ? -1 : shim->spec->prepared_root;
  int kept[] = {way, shim->platform->empty_namespace, prepared_root, shim->platform->bell};
  close_others(kept, 4);
  if (chdir("/") != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
    return fail(&shim->failure, STAGE_FORK, errno, "subreaper");
  return watch_signals(shim);
}

int shim_make_fifo(struct shim *shim, const char *name, const char *temporary) {
  if (unlinkat(shim->dir, temporary, 0) != 0 && errno != ENOENT) return -1;
  if (mkfifoat(shim->dir, temporary, 0600) != 0) return -1;
  /* Both ends: `control` then never sees the end of file when a writer leaves, and opening never waits. */
  int fd = openat(shim->dir, temporary, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0 && renameat(shim->dir, temporary, shim->dir, name) != 0) close_fd(&fd);
  return fd;
}

/*
 * Nobody is left who could have reported us: another supervisor that has seen both dead, and then no trace of
 * us, has said that the task was not started. Asked after the first trace: who sees them dead later than this
 * sees that.
 */
static bool is_abandoned(const struct shim *shim) {
  if (getppid() == shim->platform->spawner) return false;
  struct pollfd reply = {.fd = shim->reply, .events = 0};
  return poll(&reply, 1, 0) > 0 && (reply.revents & (POLLERR | POLLHUP)) != 0;
}

static int open_directory(struct shim *shim) {
  shim->dir = open(shim->spec->dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (shim->dir < 0) return fail(&shim->failure, STAGE_RECORD, errno, "%s", shim->spec->dir);
  if ((shim->alive = shim_make_fifo(shim, "alive", "alive.tmp")) < 0)
    return fail(&shim->failure, STAGE_RECORD, errno, "%s/alive", shim->spec->dir);
  if ((shim->reserved = reserve_exit_record(shim->dir)) < 0)
    return fail(&shim->failure, STAGE_RECORD, errno, "%s/exit.json.tmp", shim->spec->dir);
  if (is_abandoned(shim))
    return fail(&shim->failure, STAGE_FORK, 0, "the supervisor ended before the task was started");
  if ((shim->control = shim_make_fifo(shim, "control", "control.tmp")) < 0)
    return fail(&shim->failure, STAGE_RECORD, errno, "%s/control", shim->spec->dir);
  return 0;
}

/*
 * Whether somebody holds the write end; if nobody does, errno is 0. Asked once by read: poll reports no
 * hang-up on a FIFO whose last writer left before we opened it.
 */
static bool watch_holder(int *fd, const char *path) {
  *fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
  if (*fd < 0) return errno = errno == ENOENT ? 0 : errno, false;
  char byte;
  if (read(*fd, &byte, 1) < 0 && errno == EAGAIN) return true;
  return errno = 0, false;
}

/* The supervisor holds it for as long as it lives; the task is not to outlive that. */
static int watch_lifeline(struct shim *shim) {
  const char *path = shim->spec->lifeline;
  if (path == NULL) return 0;
  if (watch_holder(&shim->lifeline, path)) return 0;
  if (errno != 0) return fail(&shim->failure, STAGE_FORK, errno, "%s", path);
  return fail(&shim->failure, STAGE_FORK, 0, "the supervisor ended before the task was started");
}

static int open_directory_of(const char *path) {
  char directory[PATH_MAX];
  snprintf(directory, sizeof directory, "%.*s", (int)(strrchr(path, '/') - path), path);
  return open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* It is not to be outlived either. */
static int watch_host_task(struct shim *shim) {
  const struct inside *inside = &shim->spec->inside;
  if (inside->alive == NULL) return 0;
  if (!watch_holder(&shim->target_alive, inside->alive))
    return fail(&shim->failure, STAGE_TASK, errno == 0 ? ESRCH : errno, TASK_ENDED);
  if (inside->leader.pid == 0) return 0;
  if (!shim->platform->is_sealed)
    return fail(&shim->failure, STAGE_NAMESPACE, EPERM,
        "the spawner's own file cannot be kept from being written to");
  if ((shim->target_dir = open_directory_of(inside->alive)) < 0)
    return fail(&shim->failure, STAGE_TASK, errno, "%s", inside->alive);
  if ((shim->target_leader = process_open(&inside->leader)) < 0 ||
      (inside->init.pid != 0 && (shim->target_init = process_open(&inside->init)) < 0))
    return fail(&shim->failure, STAGE_TASK, errno, "%s",
        errno == EACCES ? "/proc hides its processes (hidepid)" : TASK_ENDED);
  return 0;
}

static char *copy_string(char **next, const char *text) {
  if (text == NULL) return NULL;
  char *copy = *next;
  *next = stpcpy(copy, text) + 1;
  return copy;
}

static size_t string_size(const char *text) { return text == NULL ? 0 : strlen(text) + 1; }

/* The last component, where the log is rotated; else NULL. */
static const char *log_name(const struct spec *spec, const struct file_target *target) {
  if (spec->max_log == 0) return NULL;
  const char *slash = strrchr(target->path, '/');
  return slash == NULL ? target->path : slash + 1;
}

/* What outlives the request, in one block. */
static int keep_needed(struct shim *shim) {
  const struct spec *spec = shim->spec;
  const char *logs[] = {log_name(spec, &spec->out), log_name(spec, &spec->err)};
  const struct cgroup *deferred = is_exec_session(spec) ? NULL : spec->deferred_cgroups;
  size_t count = 0, deferred_count = 0, given_count = 0,
         size = string_size(spec->oom_file) + string_size(spec->freezer) + string_size(logs[0]) +
                string_size(logs[1]);
  /* External ones are not ours to empty, to remove, or to take the members of for the task's. What they count
   * is the task's, but for an exec session, whose are its task's. */
  for (const struct cgroup *cgroup = spec->cgroups; cgroup != NULL; cgroup = cgroup->next) {
    if (cgroup->external && is_exec_session(spec)) continue;
    if (cgroup->external) given_count++;
    else count++;
    size += sizeof(char *) + string_size(cgroup->dir);
  }
  for (const struct cgroup *cgroup = deferred; cgroup != NULL; cgroup = cgroup->next, deferred_count++)
    size += sizeof(char *) + string_size(cgroup->dir);
  if (size > 0) {
    shim->cgroups = size <= sizeof shim->kept ? (char **)(void *)shim->kept : pages_allocate(size);
    if (shim->cgroups == NULL) return fail(&shim->failure, STAGE_FORK, ENOMEM, "memory");
    shim->given = shim->cgroups + count + deferred_count;
    char *next = (char *)(shim->given + given_count);
    for (const struct cgroup *cgroup = spec->cgroups; cgroup != NULL; cgroup = cgroup->next)
      if (!cgroup->external) shim->cgroups[shim->cgroup_count++] = copy_string(&next, cgroup->dir);
      else if (shim->given_count < given_count)
        shim->given[shim->given_count++] = copy_string(&next, cgroup->dir);
    for (const struct cgroup *cgroup = deferred; cgroup != NULL; cgroup = cgroup->next)
      shim->cgroups[shim->cgroup_count++] = copy_string(&next, cgroup->dir);
    shim->oom_file = copy_string(&next, spec->oom_file);
    shim->freezer = copy_string(&next, spec->freezer);
    for (int i = 0; i < 2; i++) shim->logs[i].name = copy_string(&next, logs[i]);
  }
  shim->tree.cgroup = count > 0 ? shim->cgroups[0] : NULL;
  shim->tree.freezer = shim->freezer;
  shim->tree.has_namespace = (spec->namespaces & NAMESPACE_PID) != 0;
  shim->tree.is_exec_session = spec->inside.leader.pid != 0;
  shim->timeout_ms = spec->timeout_ms;
  shim->grace_ms = spec->grace_ms;
  shim->max_output = spec->max_output;
  shim->durable = spec->durable;
  return 0;
}

/* Before there is a pid namespace: what makes it is no process of the task's. */
static int open_maps(struct shim *shim) {
  for (struct file_map *map = shim->spec->maps; map != NULL; map = map->next)
    if ((map->fd = idmap_open(&map->ids)) < 0)
      return fail(&shim->failure, STAGE_MOUNT, errno, "a user namespace that maps user %u to %u",
          map->ids.owner_uid, map->ids.user_uid);
  return 0;
}

OWN_FRAME int shim_set_up(struct shim *shim) {
  if (open_directory(shim) != 0 || watch_lifeline(shim) != 0) return -1;
  if (watch_host_task(shim) != 0 || keep_needed(shim) != 0) return -1;
  if (cgroups_create(shim->spec->cgroups, shim->spec->freezer, is_exec_session(shim->spec), &shim->failure) !=
      0)
    return -1;
  /* Not 0 only in a cgroup taken over from an earlier run. */
  shim->oom_before = oom_kills(shim->oom_file);
  shim->oom_of_sessions = 0;
  counters_read(shim->given, shim->given_count, &shim->given_before);
  if (shim_watch_memory(shim) != 0) return -1;
  if (open_maps(shim) != 0) return -1;
  /* One that was parked has it already. */
  if (shim->tree.has_namespace && shim->tree.stub == 0 && shim_fork_stub(shim) != 0) return -1;
  return shim_fork_task(shim);
}
