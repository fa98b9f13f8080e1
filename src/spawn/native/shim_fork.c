#include "shim_state.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cgroup.h"
#include "enforced.h"
#include "log.h"
#include "namespace_file.h"
#include "stub.h"
#include "system.h"
#include "walk.h"

/* The first child after unshare is PID 1 of the new namespace. Its death pipe breaks with us, however we end.
 */
int shim_fork_stub(struct shim *shim) {
  int death_pipe[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, death_pipe) != 0)
    return fail(&shim->failure, STAGE_FORK, errno, "death pipe");
  _cleanup_fd_ int held = death_pipe[0];
  _cleanup_fd_ int empty_namespace = shim->platform->empty_namespace;
  shim->death_pipe = death_pipe[1];
  if (unshare(CLONE_NEWPID) != 0) return fail(&shim->failure, STAGE_NAMESPACE, errno, "unshare pid");
  pid_t pid = sys_fork();
  if (pid == 0) {
    if (shim->request != NULL) request_release(shim->request);
    stub_run(held, empty_namespace);
  }
  if (pid < 0) return fail(&shim->failure, STAGE_FORK, errno, "PID 1 of the namespace");
  shim->tree.stub = pid;
  return 0;
}

static bool is_stopped(pid_t child) {
  siginfo_t information = {0};
  return waitid(P_PID, (id_t)child, &information, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
         information.si_pid == child;
}

/* It has answered long ago, usually; before the task may exec, it must have. */
static int await_stub(struct shim *shim) {
  char byte;
  ssize_t count;
  if (shim->tree.stub == 0) return 0;
  struct pollfd death_pipe = {.fd = shim->death_pipe, .events = POLLIN};
  for (int64_t begun = boottime_ms(); poll(&death_pipe, 1, 1000) <= 0;) {
    int64_t waited = boottime_ms() - begun;
    if (waited >= MAX_STUB_MS || (waited >= MAX_STOPPED_MS && is_stopped(shim->tree.stub)))
      return fail(&shim->failure, STAGE_NAMESPACE, ETIMEDOUT, "PID 1 of the namespace");
  }
  do count = read(shim->death_pipe, &byte, 1);
  while (count < 0 && errno == EINTR);
  return count == 1
             ? 0
             : fail(&shim->failure, STAGE_NAMESPACE, count < 0 ? errno : EPERM, "PID 1 of the namespace");
}

static bool is_same_file(int one, int two) {
  struct stat a, b;
  return fstat(one, &a) == 0 && fstat(two, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static const struct identity *donor_of(const struct shim *shim) {
  return shim->spec->donor.pid != 0 ? &shim->spec->donor : &shim->platform->supervisor;
}

static bool is_plain(const struct spec *spec, int index) {
  return spec->max_log == 0 || spec->log_plain[index] ||
         external_descriptor(index == 0 ? &spec->out : &spec->err) >= 0;
}

/* For the look at the end: whether all that went through the task's descriptor is still there. */
static int keep_plain(struct shim *shim, int index, int fd) {
  const struct spec *spec = shim->spec;
  struct stat status;
  if (external_descriptor(index == 0 ? &spec->out : &spec->err) >= 0 || spec->terminal_rows > 0) return fd;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
    shim->logs[index].plain = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  return fd;
}

/* What the task gets as descriptor 1 or 2 (index 0 or 1). `out` is the first of them, when this is the
 * second. */
static int open_output(struct shim *shim, int index, int out) {
  const struct spec *spec = shim->spec;
  const struct file_target *target = index == 0 ? &spec->out : &spec->err;
  const bool plain = is_plain(spec, index);
  int number = -1;
  int fd = spec->log_increment && !plain && !is_null(target)
               ? open_numbered_log(target, spec, &number, &shim->failure)
               : open_log(target, spec, !plain, donor_of(shim), &shim->logs[index].held, &shim->failure);
  struct stat status;
  if (fd >= 0 && plain && spec->log_collected && is_named_fifo(target, fd)) {
    int held = shim->logs[index].held;
    shim->logs[index].held = -1;
    return collected_open(&shim->logs[index].collected, fd, held, spec, &shim->failure);
  }
  if (fd < 0 || plain) return fd < 0 ? fd : keep_plain(shim, index, fd);
  /* Only files grow. */
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    if (spec->max_output == 0 || strcmp(target->path, "/dev/null") == 0) return fd;
    close_fd(&fd);
    return fail(&shim->failure, STAGE_LOG, EINVAL,
        "%s: it is no file, and what is written there cannot be counted for output-limit", target->path);
  }
  struct log_pump *first = &shim->logs[0].pump, *pump = &shim->logs[index].pump;
  if (index == 0 || first->file < 0 || !is_same_file(first->file, fd)) {
    int write_end = pump_open(pump, fd, number, shim->logs[index].name, target, spec, &shim->failure);
    pump_note_in(pump, &shim->index, index);
    return write_end;
  }
  /* Both in one file: two that rotate it would be one too many. */
  shim->shares_log = true;
  close_fd(&fd);
  fd = fcntl(out, F_DUPFD_CLOEXEC, 3);
  return fd >= 0 ? fd : fail(&shim->failure, STAGE_LOG, errno, "descriptor");
}

/* What the task reads from, and the FIFO for whoever comes later. With a terminal both are typed from; else
 * *in is the task's own end. */
static int open_input(struct shim *shim, int *in, int *door) {
  const struct spec *spec = shim->spec;
  const bool own_root = spec->root != NULL || shim->tree.is_exec_session;
  if (!spec->stdin_open && (*in = open_stdin(&spec->in, spec, own_root, donor_of(shim), &shim->failure)) < 0)
    return -1;
  if ((spec->stdin_open || spec->terminal_rows > 0) &&
      (*door = shim_make_fifo(shim, "input", "input.tmp")) < 0)
    return fail(&shim->failure, STAGE_STDIN, errno, "%s/input", spec->dir);
  if (spec->terminal_rows > 0 || (*door < 0 && !is_named_fifo(&spec->in, *in))) return 0;
  int external = *in, typed = *door;
  *in = *door = -1;
  return (shim->terminal = stdin_relay_open(spec, external, typed, in, &shim->failure)) == NULL ? -1 : 0;
}

/* After the stub, so that it never holds these pipes: the end of the status pipe must mean exec or death. */
int shim_fork_task(struct shim *shim) {
  const struct spec *spec = shim->spec;
  _cleanup_fd_ int in = -1, door = -1;
  if (open_input(shim, &in, &door) != 0) return -1;
  index_open(&shim->index, shim->dir, spec->max_log, spec->log_files);
  _cleanup_fd_ int out = open_output(shim, 0, -1);
  if (out < 0) return -1;
  _cleanup_fd_ int err = open_output(shim, 1, out);
  if (err < 0) return -1;
  _cleanup_fd_ int console = -1;
  if (spec->terminal_rows > 0) {
    int ends[2], input = in, output = out, typed = door;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
      return fail(&shim->failure, STAGE_FORK, errno, "console");
    console = ends[1];
    in = out = door = -1;
    if ((shim->terminal = terminal_open(input, typed, output, ends[0], &shim->failure)) == NULL) return -1;
    close_fd(&err);
    shim->shares_log = true;
    /* Until it has made its terminal. */
    if ((in = fcntl(0, F_DUPFD_CLOEXEC, 3)) < 0 || (out = fcntl(0, F_DUPFD_CLOEXEC, 3)) < 0 ||
        (err = fcntl(0, F_DUPFD_CLOEXEC, 3)) < 0)
      return fail(&shim->failure, STAGE_FORK, errno, "descriptors");
  }
  if (egress_link_open(&shim->egress, shim->dir, spec, shim->request, shim->platform, &shim->failure) != 0)
    return -1;
  _cleanup_fd_ int network = spec->network_path == NULL ? -1 : open_namespace(spec->network_path);
  if (spec->network_path != NULL && network < 0)
    return fail(&shim->failure, STAGE_NETWORK, errno, "%s%s", spec->network_path, walk_refused());
  int exec_barrier[2], status_pipe[2];
  if (pipe2(exec_barrier, O_CLOEXEC) != 0) return fail(&shim->failure, STAGE_FORK, errno, "pipe");
  _cleanup_fd_ int exec_barrier_read = exec_barrier[0];
  shim->exec_barrier = exec_barrier[1];
  if (pipe2(status_pipe, O_CLOEXEC) != 0) return fail(&shim->failure, STAGE_FORK, errno, "pipe");
  _cleanup_fd_ int status_pipe_write = status_pipe[1];
  shim->status_pipe = status_pipe[0];
  int pid_pipe[2] = {-1, -1};
  if (shim->tree.is_exec_session && pipe2(pid_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
    return fail(&shim->failure, STAGE_FORK, errno, "pipe");
  _cleanup_fd_ int pid_pipe_write = pid_pipe[1];
  shim->pid_pipe = pid_pipe[0];
  struct child_setup setup = {.spec = spec,
      .request = shim->request,
      .platform = shim->platform,
      .in = in,
      .out = out,
      .err = err,
      .exec_barrier = exec_barrier_read,
      .status_pipe = status_pipe_write,
      .network = network,
      .egress = shim->egress.channel,
      .shim = getpid(),
      .process = shim->target_leader,
      .pid_pipe = pid_pipe_write,
      .console = console};
  pid_t pid = cgroups_fork(spec->cgroups, shim->tree.is_exec_session, &setup.joined);
  if (pid == 0 && shim->tree.is_exec_session) child_run_inside(&setup);
  if (pid == 0) child_run(&setup);
  /* They are the task's own process's to write down. */
  request_wipe(shim->request);
  if (shim->tree.is_exec_session) shim->setns_helper = pid;
  if (spec->prepared_root >= 0) close(spec->prepared_root);
  for (struct file_map *map = spec->maps; map != NULL; map = map->next) close_fd(&map->fd);
  if (pid < 0) return fail(&shim->failure, STAGE_FORK, errno, "task");
  shim->tree.leader = pid;
  return 0;
}

/* While the task's process sets itself up: the record that it exists, before it may exec. */
OWN_FRAME int shim_record_start(struct shim *shim) {
  struct identity self = identify(getpid()), init = {0};
  shim->task = identify(shim->tree.leader);
  if (shim->tree.stub > 0) init = identify(shim->tree.stub);
  shim->record.started_at = realtime_ms();
  if (!write_start_record(shim->dir, &self, &shim->task, &init, shim->record.started_at, shim->spec->cgroups,
          !is_exec_session(shim->spec)))
    return fail(&shim->failure, STAGE_RECORD, errno, "%s/start.json", shim->spec->dir);
  int length = snprintf(shim->line, sizeof shim->line, "started %d %d %llu %d %llu %lld\n", shim->id,
      self.pid, (unsigned long long)self.start, shim->task.pid, (unsigned long long)shim->task.start,
      (long long)shim->record.started_at);
  shim->line_length = (size_t)length;
  enforced_open_process(&shim->process_files, shim->spec, shim->tree.leader);
  enforced_begin(&shim->enforced, shim->spec, &shim->platform->own_facts);
  return shim_is_ready(shim) ? shim_lift_exec_barrier(shim) : 0;
}

int shim_let_go(struct shim *shim) {
  shim->held = false;
  shim->hold_deadline = 0;
  /* EPIPE: it failed already, and the status pipe says how. */
  if (!write_all(shim->exec_barrier, "", 1) && errno != EPIPE)
    return fail(&shim->failure, STAGE_FORK, errno, "exec barrier");
  close_fd(&shim->exec_barrier);
  return 0;
}

/* The process waits, and is ours to reap: its number is its own. */
OWN_FRAME int shim_lift_exec_barrier(struct shim *shim) {
  if (shim->exec_barrier < 0 || shim->held) return 0;
  if (await_stub(shim) != 0) return -1;
  struct process_facts facts;
  const bool is_there = shim->tree.leader > 0, is_held = shim->spec->hold_ms != 0;
  if (is_there) enforced_read_process(&shim->process_files, &facts);
  if (!is_held && shim_let_go(shim) != 0) return -1;
  /* While it execs. A task without it runs as well: then nobody can say what was in force at its start. One
   * that is held waits for who compares. */
  struct child_ready ready;
  memcpy(&ready, shim->status_input->bytes, sizeof ready);
  if (is_there) enforced_add_process(&shim->enforced, &facts, &ready.walls);
  if (!enforced_store(&shim->enforced, shim->dir)) write_shim_log(shim, "enforced.json: %s", strerror(errno));
  text_free(&shim->enforced);
  if (!is_held) return 0;
  shim->held = true;
  shim->hold_deadline = boottime_ms() + shim->spec->hold_ms;
  shim_report_held(shim);
  return 0;
}
