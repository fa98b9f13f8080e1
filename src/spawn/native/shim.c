#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cgroup.h"
#include "child.h"
#include "control.h"
#include "inside.h"
#include "log.h"
#include "namespace_file.h"
#include "pump.h"
#include "record.h"
#include "reply.h"
#include "system.h"
#include "terminal.h"
#include "tree.h"
#include "walk.h"

enum { KILL_MOST_MS = 10000, LOGS_MOST_MS = 1000, STOPPED_MOST_MS = 5000, STUB_MOST_MS = 60000, TELL_MS = 1000, NOTES_MOST = 64 };
#define TASK_ENDED "the task it was to run inside of has ended"

struct shim {
  int id;
  /* NULL once the request's pages are given back, after exec. */
  const struct spec *spec;
  struct request *request;
  const struct host *host;
  volatile char *replied;

  /* Descriptors; -1 when not open. `alive` is only held. */
  int reply, dir, control, alive, owner, signals, reserved, leash, gate, report;

  /* Of one that runs inside a task: that task's FIFO, its leader and its PID 1 in /proc; who enters it for us, and where the pid of our leader comes from. */
  int host_alive, host_dir, host_leader, host_init, born;
  pid_t usher;

  /* What is still needed of the spec after that. */
  char **cgroups;
  size_t cgroup_count;
  char *oom_file, *freezer;
  int64_t wall_ms, grace_ms, output_most, oom_before;
  bool durable;
  /* Standard error goes where standard output does, or there is one stream, a terminal's. */
  bool shares_log;

  /* NULL: the task has no terminal. */
  struct terminal *terminal;
  /* Of standard output and standard error: how it is carried, or the FIFO that is held for it, or the file that the task writes itself. */
  struct { char *name; struct log_pump pump; int held, plain; } logs[2];
  /* Of what is carried. */
  struct output_index index;

  struct tree tree;
  struct identity task;
  struct control input;
  int notes;

  /* The report of the task's process: CHILD_MARK, a struct failure, or both, in that order. */
  struct { size_t used; char bytes[1 + sizeof(struct failure)]; } report_input;
  char line[128];
  size_t line_length;

  /* Boottime milliseconds; 0: none. */
  int64_t stop_deadline, wall_deadline, set_up_deadline, give_up, execed_at;
  /* Until then nothing is carried that came before the start was told. */
  int64_t carry_from;
  struct exit_record record;
  struct failure failure;
};

/* The only place for what goes wrong inside. Bounded: a writer of rubbish must not fill the disk. */
static OWN_FRAME void PRINTF(2, 3) note(struct shim *shim, const char *format, ...) {
  if (shim->dir < 0 || ++shim->notes > NOTES_MOST) return;
  _cleanup_fd_ int fd = openat(shim->dir, "shim.log", O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
  if (fd < 0) return;
  va_list arguments;
  va_start(arguments, format);
  dprintf(fd, "%lld ", (long long)realtime_ms());
  vdprintf(fd, format, arguments);
  va_end(arguments);
  write_all(fd, "\n", 1);
}

/* -------- set-up -------- */

/* Own session, nothing inherited but the way to answer. */
static int settle(struct shim *shim) {
  setsid();
  /* One task must not find what another has put there. */
  sys_own_session_keyring();
  prctl(PR_SET_NAME, "holdfast-shim", 0, 0, 0);
  /* Nobody of the same user may read our memory: it holds the task's environment until exec. */
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  signal(SIGPIPE, SIG_IGN);
  umask(022);
  shim->reply = fcntl(1, F_DUPFD_CLOEXEC, 3);
  if (shim->reply < 0) return fail(&shim->failure, STAGE_FORK, errno, "descriptor for the answer");
  const int null = shim->host->null;
  if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0) return fail(&shim->failure, STAGE_FORK, errno, "/dev/null");
  int kept[] = {shim->reply, shim->host->exile, shim->spec->prepared_root};
  close_others(kept, 3);
  if (chdir("/") != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return fail(&shim->failure, STAGE_FORK, errno, "subreaper");
  return 0;
}

/* In its place only when we hold it: who sees `alive` without a holder takes us for dead. One left by an earlier run is replaced. */
static int make_fifo(struct shim *shim, const char *name, const char *temporary) {
  if (unlinkat(shim->dir, temporary, 0) != 0 && errno != ENOENT) return -1;
  if (mkfifoat(shim->dir, temporary, 0600) != 0) return -1;
  /* Both ends: `control` then never sees the end of file when a writer leaves, and opening never waits. */
  int fd = openat(shim->dir, temporary, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0 && renameat(shim->dir, temporary, shim->dir, name) != 0) close_fd(&fd);
  return fd;
}

/*
 * Nobody is left who could have told of us: another supervisor that has seen both dead, and then no trace of us, has said that the task was not
 * started. Asked after the first trace: who sees them dead later than this sees that.
 */
static bool is_abandoned(const struct shim *shim) {
  if (getppid() == shim->host->spawner) return false;
  struct pollfd reply = {.fd = shim->reply, .events = 0};
  return poll(&reply, 1, 0) > 0 && (reply.revents & (POLLERR | POLLHUP)) != 0;
}

static int open_directory(struct shim *shim) {
  shim->dir = open(shim->spec->dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (shim->dir < 0) return fail(&shim->failure, STAGE_RECORD, errno, "%s", shim->spec->dir);
  if ((shim->alive = make_fifo(shim, "alive", "alive.tmp")) < 0) return fail(&shim->failure, STAGE_RECORD, errno, "%s/alive", shim->spec->dir);
  if ((shim->reserved = reserve_exit_record(shim->dir)) < 0) return fail(&shim->failure, STAGE_RECORD, errno, "%s/exit.json.tmp", shim->spec->dir);
  if (is_abandoned(shim)) return fail(&shim->failure, STAGE_FORK, 0, "the supervisor ended before the task was started");
  if ((shim->control = make_fifo(shim, "control", "control.tmp")) < 0) return fail(&shim->failure, STAGE_RECORD, errno, "%s/control", shim->spec->dir);
  return 0;
}

/*
 * Whether somebody holds the write end; if nobody does, errno is 0. Asked once by read: poll reports no hang-up on a FIFO whose last writer left
 * before we opened it.
 */
static bool watch_holder(int *fd, const char *path) {
  *fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
  if (*fd < 0) return errno = errno == ENOENT ? 0 : errno, false;
  char byte;
  if (read(*fd, &byte, 1) < 0 && errno == EAGAIN) return true;
  return errno = 0, false;
}

/* The supervisor holds it for as long as it lives; the task is not to outlive that. */
static int watch_owner(struct shim *shim) {
  const char *path = shim->spec->owner;
  if (path == NULL) return 0;
  if (watch_holder(&shim->owner, path)) return 0;
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
  if (!watch_holder(&shim->host_alive, inside->alive)) return fail(&shim->failure, STAGE_TASK, errno == 0 ? ESRCH : errno, TASK_ENDED);
  if (inside->leader.pid == 0) return 0;
  if (!shim->host->is_sealed) return fail(&shim->failure, STAGE_NAMESPACE, EPERM, "the spawner's own file cannot be kept from being written to");
  if ((shim->host_dir = open_directory_of(inside->alive)) < 0) return fail(&shim->failure, STAGE_TASK, errno, "%s", inside->alive);
  if ((shim->host_leader = process_open(&inside->leader)) < 0) return fail(&shim->failure, STAGE_TASK, errno, TASK_ENDED);
  if (inside->init.pid != 0 && (shim->host_init = process_open(&inside->init)) < 0) return fail(&shim->failure, STAGE_TASK, errno, TASK_ENDED);
  return 0;
}

static bool host_task_is_ending(const struct shim *shim) {
  return (shim->host_leader >= 0 && process_is_ending(shim->host_leader)) || (shim->host_init >= 0 && process_is_ending(shim->host_init));
}

static int watch_signals(struct shim *shim) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR2);
  if (sigprocmask(SIG_SETMASK, &set, NULL) != 0 || (shim->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
    return fail(&shim->failure, STAGE_FORK, errno, "signalfd");
  return 0;
}

static char *copy_string(char **next, const char *text) {
  if (text == NULL) return NULL;
  char *copy = *next;
  *next = stpcpy(copy, text) + 1;
  return copy;
}

static size_t string_size(const char *text) { return text == NULL ? 0 : strlen(text) + 1; }

static bool is_exec_session(const struct spec *spec) { return spec->inside.alive != NULL; }

/* The last component, where the log is rotated; else NULL. */
static const char *log_name(const struct spec *spec, const struct file_target *target) {
  if (spec->log_most == 0) return NULL;
  const char *slash = strrchr(target->path, '/');
  return slash == NULL ? target->path : slash + 1;
}

/* What outlives the request, in one block: usually one page. */
static int keep_needed(struct shim *shim) {
  const struct spec *spec = shim->spec;
  const char *logs[] = {log_name(spec, &spec->out), log_name(spec, &spec->err)};
  const struct cgroup *own = is_exec_session(spec) ? NULL : spec->cgroups, *later = is_exec_session(spec) ? NULL : spec->late_cgroups;
  size_t count = 0, late = 0, size = string_size(spec->oom_file) + string_size(spec->freezer) + string_size(logs[0]) + string_size(logs[1]);
  /* An exec session only joins its task's. Those that were given are not ours to empty, to remove, or to take the members of for the task's. */
  for (const struct cgroup *cgroup = own; cgroup != NULL; cgroup = cgroup->next) {
    if (cgroup->given) continue;
    count++;
    size += sizeof(char *) + string_size(cgroup->dir);
  }
  for (const struct cgroup *cgroup = later; cgroup != NULL; cgroup = cgroup->next, late++)
    size += sizeof(char *) + string_size(cgroup->dir);
  if (size > 0) {
    if ((shim->cgroups = pages_allocate(size)) == NULL) return fail(&shim->failure, STAGE_FORK, ENOMEM, "memory");
    char *next = (char *)(shim->cgroups + count + late);
    for (const struct cgroup *cgroup = own; cgroup != NULL; cgroup = cgroup->next)
      if (!cgroup->given) shim->cgroups[shim->cgroup_count++] = copy_string(&next, cgroup->dir);
    for (const struct cgroup *cgroup = later; cgroup != NULL; cgroup = cgroup->next)
      shim->cgroups[shim->cgroup_count++] = copy_string(&next, cgroup->dir);
    shim->oom_file = copy_string(&next, spec->oom_file);
    shim->freezer = copy_string(&next, spec->freezer);
    for (int i = 0; i < 2; i++) shim->logs[i].name = copy_string(&next, logs[i]);
  }
  shim->tree.cgroup = count > 0 ? shim->cgroups[0] : NULL;
  shim->tree.freezer = shim->freezer;
  shim->tree.has_namespace = (spec->namespaces & NAMESPACE_PID) != 0;
  shim->tree.is_exec_session = spec->inside.leader.pid != 0;
  shim->wall_ms = spec->wall_ms;
  shim->grace_ms = spec->grace_ms;
  shim->output_most = spec->output_most;
  shim->durable = spec->durable;
  return 0;
}

/* -------- the two forks -------- */

/* The first child after unshare is PID 1 of the new namespace. Its leash breaks with us, however we end. */
static int fork_stub(struct shim *shim) {
  int leash[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, leash) != 0) return fail(&shim->failure, STAGE_FORK, errno, "leash");
  _cleanup_fd_ int held = leash[0];
  _cleanup_fd_ int exile = shim->host->exile;
  shim->leash = leash[1];
  if (unshare(CLONE_NEWPID) != 0) return fail(&shim->failure, STAGE_NAMESPACE, errno, "unshare pid");
  pid_t pid = sys_fork();
  if (pid == 0) {
    request_release(shim->request);
    stub_run(held, exile);
  }
  if (pid < 0) return fail(&shim->failure, STAGE_FORK, errno, "PID 1 of the namespace");
  shim->tree.stub = pid;
  return 0;
}

static bool is_stopped(pid_t child) {
  siginfo_t information = {0};
  return waitid(P_PID, (id_t)child, &information, WSTOPPED | WNOHANG | WNOWAIT) == 0 && information.si_pid == child;
}

/* It has answered long ago, usually; before the task may exec, it must have. */
static int await_stub(struct shim *shim) {
  char byte;
  ssize_t count;
  if (shim->tree.stub == 0) return 0;
  struct pollfd leash = {.fd = shim->leash, .events = POLLIN};
  for (int64_t begun = boottime_ms(); poll(&leash, 1, 1000) <= 0;) {
    int64_t waited = boottime_ms() - begun;
    if (waited >= STUB_MOST_MS || (waited >= STOPPED_MOST_MS && is_stopped(shim->tree.stub)))
      return fail(&shim->failure, STAGE_NAMESPACE, ETIMEDOUT, "PID 1 of the namespace");
  }
  do count = read(shim->leash, &byte, 1);
  while (count < 0 && errno == EINTR);
  return count == 1 ? 0 : fail(&shim->failure, STAGE_NAMESPACE, count < 0 ? errno : EPERM, "PID 1 of the namespace");
}

static bool is_same_file(int one, int two) {
  struct stat a, b;
  return fstat(one, &a) == 0 && fstat(two, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static const struct identity *lender_of(const struct shim *shim) {
  return shim->spec->lender.pid != 0 ? &shim->spec->lender : &shim->host->supervisor;
}

static bool is_plain(const struct spec *spec, int index) {
  return spec->log_most == 0 || spec->log_plain[index] || given_descriptor(index == 0 ? &spec->out : &spec->err) >= 0;
}

/* For the look at the end: whether all that went through the task's descriptor is still there. */
static int keep_plain(struct shim *shim, int index, int fd) {
  const struct spec *spec = shim->spec;
  struct stat status;
  if (given_descriptor(index == 0 ? &spec->out : &spec->err) >= 0 || spec->terminal_rows > 0) return fd;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) shim->logs[index].plain = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  return fd;
}

/* What the task gets as descriptor 1 or 2 (index 0 or 1). `out` is the first of them, when this is the second. */
static int open_output(struct shim *shim, int index, int out) {
  const struct spec *spec = shim->spec;
  const struct file_target *target = index == 0 ? &spec->out : &spec->err;
  const bool plain = is_plain(spec, index);
  int fd = open_log(target, spec, !plain, lender_of(shim), &shim->logs[index].held, &shim->failure);
  struct stat status;
  if (fd < 0 || plain) return fd < 0 ? fd : keep_plain(shim, index, fd);
  /* Only files grow. */
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    if (spec->output_most == 0 || strcmp(target->path, "/dev/null") == 0) return fd;
    close_fd(&fd);
    return fail(&shim->failure, STAGE_LOG, EINVAL, "%s: it is no file, and what is written there cannot be counted for output-limit", target->path);
  }
  struct log_pump *first = &shim->logs[0].pump, *pump = &shim->logs[index].pump;
  if (index == 0 || first->file < 0 || !is_same_file(first->file, fd)) {
    int write_end = pump_open(pump, fd, shim->logs[index].name, target, spec, &shim->failure);
    pump_note_in(pump, &shim->index, index);
    return write_end;
  }
  /* Both in one file: two that rotate it would be one too many. */
  shim->shares_log = true;
  close_fd(&fd);
  fd = fcntl(out, F_DUPFD_CLOEXEC, 3);
  return fd >= 0 ? fd : fail(&shim->failure, STAGE_LOG, errno, "descriptor");
}

/* What the task reads from, and the FIFO for whoever comes later. With a terminal both are typed from; else *in is the task's own end. */
static int open_input(struct shim *shim, int *in, int *door) {
  const struct spec *spec = shim->spec;
  const bool own_root = spec->root != NULL || shim->tree.is_exec_session;
  if (!spec->stdin_open && (*in = open_stdin(&spec->in, spec, own_root, lender_of(shim), &shim->failure)) < 0) return -1;
  if ((spec->stdin_open || spec->terminal_rows > 0) && (*door = make_fifo(shim, "input", "input.tmp")) < 0)
    return fail(&shim->failure, STAGE_STDIN, errno, "%s/input", spec->dir);
  if (spec->terminal_rows > 0 || (*door < 0 && !is_named_fifo(&spec->in, *in))) return 0;
  int given = *in, typed = *door;
  *in = *door = -1;
  return (shim->terminal = stdin_relay_open(spec, given, typed, in, &shim->failure)) == NULL ? -1 : 0;
}

/* After the stub, so that it never holds these pipes: the end of the report's file must mean exec or death. */
static int fork_task(struct shim *shim) {
  const struct spec *spec = shim->spec;
  _cleanup_fd_ int in = -1, door = -1;
  if (open_input(shim, &in, &door) != 0) return -1;
  index_open(&shim->index, shim->dir, spec->log_most, spec->log_files);
  _cleanup_fd_ int out = open_output(shim, 0, -1);
  if (out < 0) return -1;
  _cleanup_fd_ int err = open_output(shim, 1, out);
  if (err < 0) return -1;
  _cleanup_fd_ int console = -1;
  if (spec->terminal_rows > 0) {
    int ends[2], input = in, output = out, typed = door;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return fail(&shim->failure, STAGE_FORK, errno, "console");
    console = ends[1];
    in = out = door = -1;
    if ((shim->terminal = terminal_open(input, typed, output, ends[0], &shim->failure)) == NULL) return -1;
    close_fd(&err);
    shim->shares_log = true;
    /* Until it has made its terminal. */
    if ((in = fcntl(0, F_DUPFD_CLOEXEC, 3)) < 0 || (out = fcntl(0, F_DUPFD_CLOEXEC, 3)) < 0 || (err = fcntl(0, F_DUPFD_CLOEXEC, 3)) < 0)
      return fail(&shim->failure, STAGE_FORK, errno, "descriptors");
  }
  _cleanup_fd_ int network = spec->network_path == NULL ? -1 : open_namespace(spec->network_path);
  if (spec->network_path != NULL && network < 0) return fail(&shim->failure, STAGE_NETWORK, errno, "%s%s", spec->network_path, walk_refused());
  int gate[2], report[2];
  if (pipe2(gate, O_CLOEXEC) != 0) return fail(&shim->failure, STAGE_FORK, errno, "pipe");
  _cleanup_fd_ int gate_read = gate[0];
  shim->gate = gate[1];
  if (pipe2(report, O_CLOEXEC) != 0) return fail(&shim->failure, STAGE_FORK, errno, "pipe");
  _cleanup_fd_ int report_write = report[1];
  shim->report = report[0];
  int born[2] = {-1, -1};
  if (shim->tree.is_exec_session && pipe2(born, O_CLOEXEC | O_NONBLOCK) != 0) return fail(&shim->failure, STAGE_FORK, errno, "pipe");
  _cleanup_fd_ int born_write = born[1];
  shim->born = born[0];
  struct child_setup setup = {.spec = spec, .host = shim->host, .in = in, .out = out, .err = err, .gate = gate_read, .report = report_write,
                              .network = network, .shim = getpid(), .process = shim->host_leader, .born = born_write, .console = console};
  pid_t pid = cgroups_fork(spec->cgroups, &setup.joined);
  if (pid == 0 && shim->tree.is_exec_session) child_run_inside(&setup);
  if (pid == 0) child_run(&setup);
  if (shim->tree.is_exec_session) shim->usher = pid;
  if (spec->prepared_root >= 0) close(spec->prepared_root);
  if (pid < 0) return fail(&shim->failure, STAGE_FORK, errno, "task");
  shim->tree.leader = pid;
  return 0;
}

/* While the task's process sets itself up: the record that it exists, before it may exec. */
static OWN_FRAME int open_gate(struct shim *shim) {
  struct identity self = identify(getpid()), init = {0};
  shim->task = identify(shim->tree.leader);
  if (shim->tree.stub > 0) init = identify(shim->tree.stub);
  shim->record.started_at = realtime_ms();
  if (!write_start_record(shim->dir, &self, &shim->task, &init, shim->record.started_at, is_exec_session(shim->spec) ? NULL : shim->spec->cgroups))
    return fail(&shim->failure, STAGE_RECORD, errno, "%s/start.json", shim->spec->dir);
  int length = snprintf(shim->line, sizeof shim->line, "started %d %d %llu %d %llu %lld\n", shim->id, self.pid, (unsigned long long)self.start,
                        shim->task.pid, (unsigned long long)shim->task.start, (long long)shim->record.started_at);
  shim->line_length = (size_t)length;
  if (await_stub(shim) != 0) return -1;
  /* EPIPE: it failed already, and its report says how. */
  if (!write_all(shim->gate, "", 1) && errno != EPIPE) return fail(&shim->failure, STAGE_FORK, errno, "gate");
  close_fd(&shim->gate);
  return 0;
}

static OWN_FRAME int set_up(struct shim *shim) {
  if (settle(shim) != 0 || watch_signals(shim) != 0 || open_directory(shim) != 0 || watch_owner(shim) != 0) return -1;
  if (watch_host_task(shim) != 0 || keep_needed(shim) != 0) return -1;
  if (!is_exec_session(shim->spec) && cgroups_create(shim->spec->cgroups, shim->spec->freezer, &shim->failure) != 0) return -1;
  /* Not 0 only in a cgroup taken over from an earlier run. */
  shim->oom_before = oom_kills(shim->oom_file);
  if (shim->tree.has_namespace && fork_stub(shim) != 0) return -1;
  return fork_task(shim);
}

/* -------- life -------- */

static void earlier(int64_t *deadline, int64_t at) {
  if (*deadline == 0 || at < *deadline) *deadline = at;
}

static void note_stop(struct shim *shim, enum stop_reason reason, int number) {
  if (shim->record.stop.reason == STOP_NONE) shim->record.stop = (struct stop_record){.reason = reason, .signal = number, .at = realtime_ms()};
}

static void force(struct shim *shim, enum stop_reason reason) {
  note_stop(shim, reason, SIGKILL);
  if (shim->record.stop.forced_at == 0) shim->record.stop.forced_at = realtime_ms();
  shim->stop_deadline = 0;
  earlier(&shim->give_up, boottime_ms() + KILL_MOST_MS);
  tree_kill(&shim->tree);
}

static void stop(struct shim *shim, enum stop_reason reason, int number, int64_t grace_ms, bool leader_only) {
  if (shim->tree.leader == 0 || shim->record.stop.forced_at != 0) return;
  bool first = shim->record.stop.reason == STOP_NONE;
  note_stop(shim, reason, number);
  earlier(&shim->stop_deadline, boottime_ms() + grace_ms);
  if (!first) return;
  /* Before its setsid the group does not exist yet; the signal then waits in the process itself. */
  pid_t leader = shim->tree.leader;
  if (leader_only || kill(-leader, number) != 0) kill(leader, number);
  /* A stopped task could not act on it. */
  if (leader_only || kill(-leader, SIGCONT) != 0) kill(leader, SIGCONT);
}

static bool gave_too_much(const struct shim *shim) {
  return shim->output_most != 0 && shim->logs[0].pump.carried + shim->logs[1].pump.carried > shim->output_most;
}

static void check_output(struct shim *shim) {
  if (shim->record.stop.reason == STOP_NONE && gave_too_much(shim)) stop(shim, STOP_OUTPUT, SIGTERM, shim->grace_ms, false);
}

static void obey(const struct order *order, void *context) {
  struct shim *shim = context;
  switch (order->kind) {
    case ORDER_BAD: note(shim, "control: a line that is no order"); break;
    case ORDER_SIGNAL:
      if (shim->tree.leader > 0) kill(shim->tree.leader, order->signal);
      break;
    case ORDER_STOP: stop(shim, STOP_SHUTDOWN, order->signal, order->grace_ms, order->leader_only); break;
    case ORDER_KILL: force(shim, STOP_FORCE); break;
    case ORDER_WALL:
      /* From exec on, as the first limit was: one that has passed stops the task now. */
      shim->wall_ms = order->wall_ms;
      if (shim->execed_at != 0 && shim->record.stop.reason == STOP_NONE) shim->wall_deadline = shim->execed_at + order->wall_ms;
      break;
    case ORDER_OUTPUT:
      shim->output_most = order->output_most;
      check_output(shim);
      break;
    case ORDER_SIZE: terminal_resize(shim->terminal, (int)order->rows, (int)order->columns); break;
    case ORDER_END: terminal_end(shim->terminal); break;
  }
}

static OWN_FRAME void read_control(struct shim *shim) {
  char bytes[512];
  ssize_t count = read(shim->control, bytes, sizeof bytes);
  if (count > 0) control_feed(&shim->input, bytes, (size_t)count, obey, shim);
}

/* The usher has let the task's own process in, and is about to go: that one is our leader. Not before it is recorded may it exec. */
static void take_leader(struct shim *shim) {
  pid_t pid;
  if (shim->born < 0) return;
  ssize_t count = read(shim->born, &pid, sizeof pid);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  close_fd(&shim->born);
  if (count != (ssize_t)sizeof pid) return;
  shim->tree.leader = pid;
  /* What was asked for meanwhile has reached the usher at most. */
  if (open_gate(shim) != 0 || shim->record.stop.reason != STOP_NONE) force(shim, STOP_FORCE);
}

static void reap(struct shim *shim) {
  for (;;) {
    int status;
    struct rusage usage;
    /* A program that stops after exec is nobody's business but its own. */
    pid_t pid = wait4(-1, &status, WNOHANG | (shim->spec == NULL ? 0 : WUNTRACED), &usage);
    if (pid <= 0) return;
    if (WIFSTOPPED(status)) {
      earlier(&shim->set_up_deadline, boottime_ms() + STOPPED_MOST_MS);
      continue;
    }
    if (pid == shim->tree.stub) shim->tree.stub = 0;
    if (pid == shim->usher) take_leader(shim);
    if (pid != shim->tree.leader) continue;
    shim->record.has_status = true;
    shim->record.status = status;
    shim->record.usage = usage;
    shim->record.exited_at = realtime_ms();
    shim->tree.leader = 0;
  }
}

static void read_signals(struct shim *shim) {
  struct signalfd_siginfo information;
  struct order order;
  while (read(shim->signals, &information, sizeof information) == (ssize_t)sizeof information) {
    if (information.ssi_signo == SIGCHLD) reap(shim);
    else if (information.ssi_signo == SIGUSR2) force(shim, STOP_FORCE);
    else if (information.ssi_code == SI_QUEUE && control_unpack(information.ssi_ptr, &order)) obey(&order, shim);
    else stop(shim, STOP_SHUTDOWN, SIGTERM, shim->grace_ms, false);
  }
}

static void send_started(struct shim *shim) {
  if (shim->line_length == 0) return;
  if (shim->replied != NULL) *shim->replied = 1;
  /* A supervisor that has gone finds start.json instead. */
  if (!write_all(shim->reply, shim->line, shim->line_length)) note(shim, "reply: %s", strerror(errno));
  shim->line_length = 0;
  close_fd(&shim->reply);
}

static bool is_writable(int fd, int wait_ms) {
  struct pollfd reply = {.fd = fd, .events = POLLOUT};
  return poll(&reply, 1, wait_ms) > 0;
}

/* Exec has happened: the request is history. */
static void started(struct shim *shim) {
  shim->execed_at = boottime_ms();
  shim->carry_from = shim->execed_at + TELL_MS;
  shim->set_up_deadline = 0;
  if (shim->wall_ms > 0) shim->wall_deadline = shim->execed_at + shim->wall_ms;
  /* A supervisor that does not read must not keep us from our task: then the loop says it later. */
  if (is_writable(shim->reply, 0)) send_started(shim);
  shim->spec = NULL;
  request_release(shim->request);
  stack_trim();
}

static OWN_FRAME void read_report(struct shim *shim) {
  size_t room = sizeof shim->report_input.bytes - shim->report_input.used;
  ssize_t count = read(shim->report, shim->report_input.bytes + shim->report_input.used, room);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count > 0) {
    shim->report_input.used += (size_t)count;
    return;
  }
  close_fd(&shim->report);
  const char *bytes = shim->report_input.bytes;
  size_t used = shim->report_input.used;
  bool marked = used > 0 && bytes[0] == CHILD_MARK;
  size_t rest = marked ? used - 1 : used;
  if (rest == sizeof(struct failure)) {
    struct failure reported;
    memcpy(&reported, bytes + (marked ? 1 : 0), sizeof reported);
    reported.detail[sizeof reported.detail - 1] = '\0';
    fail(&shim->failure, reported.stage, reported.error, "%s", reported.detail);
  } else if (marked && shim->failure.stage == STAGE_NONE) started(shim);
}

static int until(int64_t now, int64_t deadline, int least) {
  if (deadline == 0) return least;
  int64_t left = deadline - now;
  int wait = left <= 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
  return least < 0 || wait < least ? wait : least;
}

static void check_deadlines(struct shim *shim) {
  int64_t now = boottime_ms();
  if (shim->wall_deadline != 0 && now >= shim->wall_deadline) {
    shim->wall_deadline = 0;
    stop(shim, STOP_TIMEOUT, SIGTERM, shim->grace_ms, false);
  }
  if (shim->stop_deadline != 0 && now >= shim->stop_deadline) force(shim, STOP_FORCE);
  if (shim->set_up_deadline == 0 || now < shim->set_up_deadline) return;
  shim->set_up_deadline = 0;
  if (shim->spec == NULL || shim->failure.stage != STAGE_NONE) return;
  fail(&shim->failure, STAGE_EXEC, 0, "stopped by a signal before exec");
  force(shim, STOP_FORCE);
}

/*
 * A task can hold its pipe's lock for as long as it lives, by a splice(2) into it from a socket that is silent, and whoever reads the pipe meanwhile
 * waits where no signal ends it. We are killed past, at a limit or a stop, by those who know of the start: it is told before anything is carried.
 */
static bool may_carry(const struct shim *shim, int64_t now) {
  return (shim->spec == NULL && shim->line_length == 0) || (shim->carry_from != 0 && now >= shim->carry_from);
}

static bool is_over(const struct shim *shim) {
  if (shim->tree.leader == 0 && shim->report < 0) return true;
  return shim->give_up != 0 && boottime_ms() >= shim->give_up;
}

static void live(struct shim *shim) {
  while (!is_over(shim)) {
    int64_t now = boottime_ms(), wake = may_carry(shim, now) ? 0 : shim->carry_from;
    struct pollfd waiting[] = {
      {.fd = shim->signals, .events = POLLIN},
      {.fd = shim->control, .events = POLLIN},
      {.fd = shim->report, .events = POLLIN},
      {.fd = shim->spec == NULL && shim->line_length > 0 ? shim->reply : -1, .events = POLLOUT},
      /* Nobody writes into it: it can only hang up. */
      {.fd = shim->owner, .events = 0},
      {.fd = shim->host_alive, .events = 0},
      {.fd = shim->born, .events = POLLIN},
      {.fd = may_carry(shim, now) ? pump_await(&shim->logs[0].pump, now, &wake) : -1, .events = POLLIN},
      {.fd = may_carry(shim, now) ? pump_await(&shim->logs[1].pump, now, &wake) : -1, .events = POLLIN},
      {.fd = -1},
      {.fd = -1},
      {.fd = -1},
      {.fd = -1},
    };
    terminal_await(shim->terminal, waiting + 9);
    int wait = until(now, wake, until(now, shim->wall_deadline, until(now, shim->stop_deadline, until(now, shim->set_up_deadline, until(now, shim->give_up, -1)))));
    if (poll(waiting, sizeof waiting / sizeof waiting[0], wait) < 0 && errno != EINTR) note(shim, "poll: %s", strerror(errno));
    if (waiting[6].revents != 0) take_leader(shim);
    if (waiting[2].revents != 0) read_report(shim);
    if (waiting[3].revents != 0) send_started(shim);
    if (waiting[0].revents != 0) read_signals(shim);
    if (waiting[1].revents != 0) read_control(shim);
    terminal_move(shim->terminal, waiting + 9);
    if (waiting[4].revents != 0) {
      close_fd(&shim->owner);
      force(shim, STOP_ORPHANED);
    }
    if (waiting[5].revents != 0) {
      close_fd(&shim->host_alive);
      force(shim, STOP_ORPHANED);
    }
    /* A turn at most: what is asked of us comes between. */
    for (int i = 0; i < 2; i++)
      if (waiting[7 + i].revents != 0) pump_turn(&shim->logs[i].pump);
    check_output(shim);
    check_deadlines(shim);
  }
}

/* -------- the end -------- */

/* The process died or was killed between fork and exec without a word. */
static void explain_silence(struct shim *shim) {
  if (shim->failure.stage != STAGE_NONE || shim->spec == NULL) return;
  int status = shim->record.status;
  if (!shim->record.has_status) fail(&shim->failure, STAGE_EXEC, EBUSY, "set-up did not end when killed");
  else if (WIFSIGNALED(status)) fail(&shim->failure, STAGE_EXEC, 0, "killed by signal %d before exec", WTERMSIG(status));
  else fail(&shim->failure, STAGE_EXEC, 0, "exited with %d before exec", WEXITSTATUS(status));
}

/*
 * Since the start; -1 where nobody counts. The counter goes with the cgroup, which the shim of the task that an exec session is in removes when it has
 * written down what it had counted: for all that was inside.
 */
static int64_t count_oom_kills(const struct shim *shim) {
  int64_t count = oom_kills(shim->oom_file);
  if (count < 0 && shim->host_dir >= 0) count = recorded_oom_kills(shim->host_dir);
  return count > 0 && shim->oom_before > 0 ? count - shim->oom_before : count;
}

/* It has all gone at once: what happened to us is only a part of that, and the part that we saw says little. */
static void explain_host_task(struct shim *shim) {
  if (!host_task_is_ending(shim)) return;
  bool killed = shim->record.has_status && WIFSIGNALED(shim->record.status) && WTERMSIG(shim->record.status) == SIGKILL;
  if (shim->spec != NULL) {
    shim->failure = (struct failure){.stage = STAGE_NONE};
    fail(&shim->failure, STAGE_TASK, ESRCH, TASK_ENDED);
  } else if (killed && count_oom_kills(shim) <= 0) {
    note_stop(shim, STOP_ORPHANED, SIGKILL);
    if (shim->record.stop.forced_at == 0) shim->record.stop.forced_at = shim->record.stop.at;
  }
}

static OWN_FRAME void send_failed(struct shim *shim) {
  char line[REPLY_MOST];
  size_t length = reply_failed(line, shim->id, &shim->failure);
  if (shim->replied != NULL) *shim->replied = 1;
  write_all(shim->reply >= 0 ? shim->reply : 1, line, length);
}

/* What is in a FIFO when its last writer goes is there only for a reader that has it open already, and we cannot see whether one has. */
static bool await_reader(int fifo, int64_t deadline) {
  for (int unread; ioctl(fifo, FIONREAD, &unread) == 0 && unread > 0; sleep_ms(5))
    if (boottime_ms() >= deadline) return false;
  return true;
}

/* Nothing of the task is left by now, or it cannot be killed: who else holds a log's pipe gets little time. */
static OWN_FRAME void finish_logs(struct shim *shim) {
  struct exit_record *record = &shim->record;
  int wait_ms = record->survivors.count > 0 ? 0 : LOGS_MOST_MS;
  int64_t deadline = boottime_ms() + wait_ms;
  for (int i = 0; i < 2; i++) {
    struct log_pump *pump = &shim->logs[i].pump;
    int64_t left = deadline - boottime_ms();
    if (!pump_drain(pump, left > 0 ? (int)left : 0)) {
      record->logs_lost = true;
      if (pump->lossy || !pump->outgrown)
        note(shim, "%s: %s", shim->logs[i].name, pump->lossy ? strerror(pump->error) : "somebody still holds its pipe");
    }
    if (shim->logs[i].held >= 0 && !await_reader(shim->logs[i].held, deadline)) record->logs_lost = true;
    if (shim->logs[i].plain >= 0 && !log_is_whole(shim->logs[i].plain)) record->logs_lost = true;
  }
  if (shim->index.error != 0) note(shim, "output.index: %s", strerror(shim->index.error));
}

/* What the terminal still has to show goes into its log. */
static void finish_terminal(struct shim *shim) {
  int64_t deadline = boottime_ms() + LOGS_MOST_MS;
  while (terminal_show(shim->terminal, 100) && boottime_ms() < deadline) pump_turn(&shim->logs[0].pump);
  terminal_close(shim->terminal);
}

/* Of cgroups that are ours alone: what others have met with in given ones is not the task's. An exec session's are its task's. */
static void count_limits(struct shim *shim) {
  counters_read(shim->cgroups, shim->cgroup_count, &shim->record.counters);
  /* Two streams in one file share a pump. */
  const struct log_pump *one = &shim->logs[0].pump, *two = &shim->logs[1].pump;
  bool carried = one->dir >= 0 && (two->dir >= 0 || shim->shares_log);
  shim->record.log_dropped = carried ? one->dropped + two->dropped : -1;
}

static OWN_FRAME _Noreturn void finish(struct shim *shim) {
  struct exit_record *record = &shim->record;
  explain_host_task(shim);
  explain_silence(shim);
  if (record->exited_at == 0) record->exited_at = realtime_ms();
  int64_t now = boottime_ms();
  bool given_up = shim->give_up != 0 && now >= shim->give_up;
  tree_finish(&shim->tree, given_up ? now : now + KILL_MOST_MS, &record->survivors);
  finish_terminal(shim);
  finish_logs(shim);
  /* It has ended by itself before all that it had written was read. */
  if (gave_too_much(shim)) note_stop(shim, STOP_OUTPUT, SIGTERM);
  record->oom_kills = count_oom_kills(shim);
  count_limits(shim);
  record->failure = shim->failure.stage == STAGE_NONE ? NULL : &shim->failure;
  if (shim->reserved >= 0 && !write_exit_record(shim->dir, shim->reserved, record, shim->durable))
    note(shim, "exit.json: %s", strerror(errno));
  /* Innermost last made, first removed. Not with somebody in them: each would be tried for seconds, and whoever waits is to hear of the survivors now. */
  for (size_t i = record->survivors.count == 0 ? shim->cgroup_count : 0; i > 0; i--)
    cgroup_remove(shim->cgroups[i - 1], shim->freezer);
  if (record->failure != NULL) send_failed(shim);
  else if (shim->line_length > 0 && is_writable(shim->reply, 1000)) send_started(shim);
  _exit(0);
}

_Noreturn void shim_run(const struct spec *spec, struct request *request, const struct host *host, volatile char *replied) {
  struct shim shim = {
    .id = spec->id, .spec = spec, .request = request, .host = host, .replied = replied,
    .reply = -1, .dir = -1, .control = -1, .alive = -1, .owner = -1, .signals = -1, .reserved = -1, .leash = -1, .gate = -1, .report = -1,
    .host_alive = -1, .host_dir = -1, .host_leader = -1, .host_init = -1, .born = -1,
    
    .record = {.counters = NO_COUNTERS, .log_dropped = -1},
    .logs = {{.pump = NO_PUMP, .held = -1, .plain = -1}, {.pump = NO_PUMP, .held = -1, .plain = -1}}, .index = NO_INDEX,
  };
  if (set_up(&shim) == 0) {
    if (shim.usher == 0 && open_gate(&shim) != 0) force(&shim, STOP_FORCE);
    live(&shim);
  } else tree_kill(&shim.tree);
  finish(&shim);
}
