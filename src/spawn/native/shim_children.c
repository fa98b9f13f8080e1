#include "shim_state.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "system.h"

/* The setns helper has let the task's own process in, and is about to go: that one is our leader. Not before
 * it is recorded may it exec. */
void shim_take_leader(struct shim *shim) {
  pid_t pid;
  if (shim->pid_pipe < 0) return;
  ssize_t count = read(shim->pid_pipe, &pid, sizeof pid);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  close_fd(&shim->pid_pipe);
  if (count != (ssize_t)sizeof pid) return;
  shim->tree.leader = pid;
  /* What was asked for meanwhile has reached the setns helper at most. */
  if (shim_record_start(shim) != 0 || shim->record.stop.reason != STOP_NONE) shim_kill_task(shim, STOP_FORCE);
}

void shim_reap(struct shim *shim) {
  for (;;) {
    int status;
    struct rusage usage;
    /* A program that stops after exec is nobody's business but its own. */
    pid_t pid = wait4(-1, &status, WNOHANG | (shim->spec == NULL ? 0 : WUNTRACED), &usage);
    if (pid <= 0) return;
    if (WIFSTOPPED(status)) {
      shim_earlier(&shim->set_up_deadline, boottime_ms() + MAX_STOPPED_MS);
      continue;
    }
    if (pid == shim->tree.stub) shim->tree.stub = 0;
    if (pid == shim->egress.pid) {
      shim->egress.pid = 0;
      write_shim_log(shim, "the forwarder has ended: the task reaches nothing any more");
    }
    if (pid == shim->setns_helper) shim_take_leader(shim);
    if (pid != shim->tree.leader) continue;
    shim->record.has_status = true;
    shim->record.status = status;
    shim->record.usage = usage;
    shim->record.exited_at = realtime_ms();
    shim->tree.leader = 0;
  }
}

static bool is_writable(int fd, int wait_ms) {
  struct pollfd reply = {.fd = fd, .events = POLLOUT};
  return poll(&reply, 1, wait_ms) > 0;
}

void shim_report_start(struct shim *shim, int wait_ms) {
  if (shim->line_length == 0 || !is_writable(shim->reply, wait_ms)) return;
  if (shim->word != NULL) *shim->word = SHIM_ANSWERED;
  /* A supervisor that has gone finds start.json instead. */
  if (!write_all(shim->reply, shim->line, shim->line_length))
    write_shim_log(shim, "reply: %s", strerror(errno));
  shim->line_length = 0;
  close_fd(&shim->reply);
}

void shim_report_held(struct shim *shim) {
  if (!shim->held || shim->held_told || !is_writable(shim->reply, 0)) return;
  shim->held_told = true;
  if (dprintf(shim->reply, "held %d\n", shim->id) < 0) write_shim_log(shim, "reply: %s", strerror(errno));
}

bool shim_is_ready(const struct shim *shim) {
  return shim->line_length > 0 && shim->status_input->used >= sizeof(struct child_ready) &&
         shim->status_input->bytes[0] == CHILD_READY;
}

/* Exec has happened: the request is history. */
static void started(struct shim *shim) {
  shim->execed_at = boottime_ms();
  shim->carry_from = shim->execed_at + TELL_MS;
  shim->set_up_deadline = 0;
  if (shim->timeout_ms > 0) shim->timeout_deadline = shim->execed_at + shim->timeout_ms;
  /* A supervisor that does not read must not keep us from our task: then the loop says it later. */
  shim_report_start(shim, 0);
  shim->spec = NULL;
  request_release(shim->request);
  stack_trim();
  stack_trim_from(&shim->failure);
}

OWN_FRAME void shim_read_status(struct shim *shim) {
  size_t room = sizeof shim->status_input->bytes - shim->status_input->used;
  ssize_t count = read(shim->status_pipe, shim->status_input->bytes + shim->status_input->used, room);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count > 0) {
    shim->status_input->used += (size_t)count;
    if (shim_is_ready(shim) && shim_lift_exec_barrier(shim) != 0) shim_kill_task(shim, STOP_FORCE);
    return;
  }
  close_fd(&shim->status_pipe);
  const char *bytes = shim->status_input->bytes;
  size_t used = shim->status_input->used;
  size_t at = used > 0 && bytes[0] == CHILD_READY ? sizeof(struct child_ready) : 0;
  bool marked = used > at && bytes[at] == CHILD_MARK;
  at += marked;
  if (used > at && used - at == sizeof(struct failure)) {
    struct failure reported;
    memcpy(&reported, bytes + at, sizeof reported);
    reported.detail[sizeof reported.detail - 1] = '\0';
    fail(&shim->failure, reported.stage, reported.error, "%s", reported.detail);
  } else if (marked && shim->failure.stage == STAGE_NONE) started(shim);
}
