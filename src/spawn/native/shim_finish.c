#include "shim_state.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cgroup.h"
#include "log.h"
#include "process.h"
#include "reply.h"
#include "system.h"

static bool target_is_ending(const struct shim *shim) {
  return (shim->target_leader >= 0 && process_is_ending(shim->target_leader)) ||
         (shim->target_init >= 0 && process_is_ending(shim->target_init));
}

static bool host_shim_is_gone(const struct shim *shim) {
  struct pollfd alive = {.fd = shim->target_alive};
  return shim->target_dir >= 0 && (alive.fd < 0 || poll(&alive, 1, 0) > 0);
}

/* The process died or was killed between fork and exec without a word. */
static void explain_silence(struct shim *shim) {
  if (shim->failure.stage != STAGE_NONE || shim->spec == NULL) return;
  int status = shim->record.status;
  if (!shim->record.has_status) fail(&shim->failure, STAGE_EXEC, EBUSY, "set-up did not end when killed");
  else if (WIFSIGNALED(status))
    fail(&shim->failure, STAGE_EXEC, 0, "killed by signal %d before exec", WTERMSIG(status));
  else fail(&shim->failure, STAGE_EXEC, 0, "exited with %d before exec", WEXITSTATUS(status));
}

/*
 * Since the start; -1 where nobody counts. The counter goes with the cgroup, which the shim of the task that
 * an exec session is in removes when it has written down what it had counted: for all that was inside.
 */
static int64_t count_oom_kills(const struct shim *shim) {
  int64_t count = oom_kills(shim->oom_file);
  if (count < 0 && shim->target_dir >= 0) count = recorded_oom_kills(shim->target_dir);
  if (count < 0) return count;
  return count + shim->oom_of_sessions - (shim->oom_before > 0 && count > 0 ? shim->oom_before : 0);
}

/* It has all gone at once: what happened to us is only a part of that, and the part that we saw says little.
 */
static void explain_host_task(struct shim *shim) {
  if (!target_is_ending(shim)) return;
  bool killed =
      shim->record.has_status && WIFSIGNALED(shim->record.status) && WTERMSIG(shim->record.status) == SIGKILL;
  if (shim->spec != NULL) {
    shim->failure = (struct failure){.stage = STAGE_NONE};
    fail(&shim->failure, STAGE_TASK, ESRCH, TASK_ENDED);
  } else if (killed && count_oom_kills(shim) <= 0) {
    shim_record_stop(shim, STOP_ORPHANED, SIGKILL);
    if (shim->record.stop.forced_at == 0) shim->record.stop.forced_at = shim->record.stop.at;
  }
}

static OWN_FRAME void send_failed(struct shim *shim) {
  char line[MAX_REPLY];
  size_t length = reply_failed(line, shim->id, &shim->failure);
  if (shim->word != NULL) *shim->word = SHIM_ANSWERED;
  write_all(shim->reply >= 0 ? shim->reply : 1, line, length);
}

/* What is in a FIFO when its last writer goes is there only for a reader that has it open already, and we
 * cannot see whether one has. */
static bool await_reader(int fifo, int64_t deadline) {
  for (int unread; ioctl(fifo, FIONREAD, &unread) == 0 && unread > 0; sleep_ms(5))
    if (boottime_ms() >= deadline) return false;
  return true;
}

/* Nothing of the task is left by now, or it cannot be killed: who else holds a log's pipe gets little time.
 */
static OWN_FRAME void finish_logs(struct shim *shim) {
  struct exit_record *record = &shim->record;
  int wait_ms = record->survivors.count > 0 ? 0 : MAX_LOGS_MS;
  int64_t deadline = boottime_ms() + wait_ms;
  for (int i = 0; i < 2; i++) {
    struct log_pump *pump = &shim->logs[i].pump;
    int64_t left = deadline - boottime_ms();
    if (!pump_drain(pump, left > 0 ? (int)left : 0)) {
      record->logs_lost = true;
      if (pump->lossy || !pump->outgrown)
        write_shim_log(shim, "%s: %s", shim->logs[i].name,
            pump->lossy ? strerror(pump->error) : "somebody still holds its pipe");
    }
    if (!collected_drain(&shim->logs[i].collected, deadline)) record->logs_lost = true;
    if (shim->logs[i].held >= 0 && !await_reader(shim->logs[i].held, deadline)) record->logs_lost = true;
    if (shim->logs[i].plain >= 0 && !log_is_whole(shim->logs[i].plain)) record->logs_lost = true;
  }
  if (shim->index.error != 0) write_shim_log(shim, "output.index: %s", strerror(shim->index.error));
}

/* What the terminal still has to show goes into its log. */
static void finish_terminal(struct shim *shim) {
  int64_t deadline = boottime_ms() + MAX_LOGS_MS;
  while (terminal_show(shim->terminal, 100) && boottime_ms() < deadline) {
    pump_turn(&shim->logs[0].pump);
    collected_turn(&shim->logs[0].collected);
  }
  terminal_close(shim->terminal);
}

static void count_limits(struct shim *shim) {
  counters_read(shim->cgroups, shim->cgroup_count, &shim->record.counters);
  counters_add_since(&shim->given_before, shim->given, shim->given_count, &shim->record.counters);
  int64_t dropped = 0;
  bool carried = true;
  for (int i = 0; i < 2; i++) {
    const struct log_pump *pump = &shim->logs[i].pump;
    const struct collected *collected = &shim->logs[i].collected;
    /* Two streams in one file share a pump. */
    if (pump->dir < 0 && collected->fifo < 0 && (i == 0 || !shim->shares_log)) carried = false;
    if (pump->dir >= 0) dropped += pump->dropped;
    if (collected->fifo >= 0) dropped += collected->dropped;
  }
  shim->record.log_dropped = carried ? dropped : -1;
}

/*
 * Nothing of the task is left, and its record is in place: what we have yet to remove keeps nobody waiting.
 * The pipe for replies was given back when the start was reported, or a supervisor that is closed would wait
 * for us.
 */
static void report_end(const struct shim *shim) {
  const uint64_t rung = 1;
  if (shim->word == NULL || *shim->word != SHIM_ANSWERED) return;
  *shim->word = SHIM_RECORDED;
  /* EAGAIN: it has been rung by so many that one more says nothing new. */
  if (write(shim->platform->bell, &rung, sizeof rung) < 0) return;
}

OWN_FRAME _Noreturn void shim_finish(struct shim *shim) {
  struct exit_record *record = &shim->record;
  /* Of the start, which may be refused afterwards. */
  const bool is_reported = shim->execed_at != 0 && shim->line_length == 0;
  explain_host_task(shim);
  explain_silence(shim);
  if (record->exited_at == 0) record->exited_at = realtime_ms();
  int64_t now = boottime_ms();
  bool given_up = shim->give_up != 0 && now >= shim->give_up;
  egress_link_close(&shim->egress, shim->dir);
  tree_finish(&shim->tree, given_up ? now : now + MAX_KILL_MS, &record->survivors);
  finish_terminal(shim);
  finish_logs(shim);
  /* It has ended by itself before all that it had written was read. */
  if (shim_gave_too_much(shim)) shim_record_stop(shim, STOP_OUTPUT, SIGTERM);
  record->egress_denied = shim->egress.log >= 0 ? shim->egress.denied : -1;
  record->oom_kills = count_oom_kills(shim);
  count_limits(shim);
  record->failure = shim->failure.stage == STAGE_NONE ? NULL : &shim->failure;
  if (shim->reserved >= 0 && !write_exit_record(shim->dir, shim->reserved, record, shim->durable))
    write_shim_log(shim, "exit.json: %s", strerror(errno));
  else if (record->failure == NULL || is_reported) report_end(shim);
  /* Innermost last made, first removed. Not with somebody in them: each would be tried for seconds, and
   * whoever waits is to hear of the survivors now. */
  for (size_t i = record->survivors.count == 0 ? shim->cgroup_count : 0; i > 0; i--)
    cgroup_remove(shim->cgroups[i - 1], shim->freezer);
  /* Whose shim would have removed what we have made below its own. */
  for (size_t i = host_shim_is_gone(shim) ? shim->cgroup_count : 0; i > 0; i--)
    cgroup_remove_place(shim->cgroups[i - 1]);
  if (record->failure != NULL && !is_reported) send_failed(shim);
  else shim_report_start(shim, 1000);
  _exit(0);
}
