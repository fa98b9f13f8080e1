#include "shim_state.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "system.h"

void shim_earlier(int64_t *deadline, int64_t at) {
  if (*deadline == 0 || at < *deadline) *deadline = at;
}

void shim_record_stop(struct shim *shim, enum stop_reason reason, int number) {
  if (shim->record.stop.reason == STOP_NONE)
    shim->record.stop = (struct stop_record){.reason = reason, .signal = number, .at = realtime_ms()};
}

void shim_kill_task(struct shim *shim, enum stop_reason reason) {
  shim_record_stop(shim, reason, SIGKILL);
  if (shim->record.stop.forced_at == 0) shim->record.stop.forced_at = realtime_ms();
  shim->stop_deadline = shim->hold_deadline = 0;
  shim_earlier(&shim->give_up, boottime_ms() + MAX_KILL_MS);
  tree_kill(&shim->tree);
}

static void stop(struct shim *shim, enum stop_reason reason, int number, int64_t grace_ms, bool leader_only) {
  if (shim->tree.leader == 0 || shim->record.stop.forced_at != 0) return;
  bool first = shim->record.stop.reason == STOP_NONE;
  shim_record_stop(shim, reason, number);
  shim_earlier(&shim->stop_deadline, boottime_ms() + grace_ms);
  if (!first) return;
  /* Before its setsid the group does not exist yet; the signal then waits in the process itself. */
  pid_t leader = shim->tree.leader;
  if (leader_only || kill(-leader, number) != 0) kill(leader, number);
  /* A stopped task could not act on it. */
  if (leader_only || kill(-leader, SIGCONT) != 0) kill(leader, SIGCONT);
}

bool shim_gave_too_much(const struct shim *shim) {
  return shim->max_output != 0 && shim->logs[0].pump.carried + shim->logs[1].pump.carried > shim->max_output;
}

void shim_check_output(struct shim *shim) {
  if (shim->record.stop.reason == STOP_NONE && shim_gave_too_much(shim))
    stop(shim, STOP_OUTPUT, SIGTERM, shim->grace_ms, false);
}

static void handle_command(const struct command *command, void *context) {
  struct shim *shim = context;
  switch (command->kind) {
    case COMMAND_BAD: write_shim_log(shim, "control: a line that is no command"); break;
    case COMMAND_SIGNAL:
      if (shim->tree.leader > 0) kill(shim->tree.leader, command->signal);
      break;
    case COMMAND_STOP:
      stop(shim, STOP_SHUTDOWN, command->signal, command->grace_ms, command->leader_only);
      break;
    case COMMAND_KILL: shim_kill_task(shim, STOP_FORCE); break;
    case COMMAND_GO:
      /* Of a start that was not held, or runs, or is being refused, there is nothing to let go. */
      if (shim->held && shim->record.stop.forced_at == 0 && shim_let_go(shim) != 0)
        shim_kill_task(shim, STOP_FORCE);
      break;
    case COMMAND_REFUSE:
      /* Whose end has been recorded is no start that was refused. */
      if (shim->tree.leader > 0) fail(&shim->failure, command->stage, 0, "%s", command->detail);
      shim_kill_task(shim, STOP_FORCE);
      break;
    case COMMAND_TIMEOUT:
      /* From exec on, as the first limit was: one that has passed stops the task now. */
      shim->timeout_ms = command->timeout_ms;
      if (shim->execed_at != 0 && shim->record.stop.reason == STOP_NONE)
        shim->timeout_deadline = shim->execed_at + command->timeout_ms;
      break;
    case COMMAND_OUTPUT:
      shim->max_output = command->max_output;
      shim_check_output(shim);
      break;
    case COMMAND_EGRESS:
      if (!egress_link_update(&shim->egress, shim->dir))
        write_shim_log(shim, "egress.rules: %s", strerror(errno));
      break;
    case COMMAND_OOM: shim->oom_takes_all = command->whole_task; break;
    case COMMAND_SIZE: terminal_resize(shim->terminal, (int)command->rows, (int)command->columns); break;
    case COMMAND_END: terminal_end(shim->terminal); break;
  }
}

OWN_FRAME void shim_read_control(struct shim *shim) {
  char bytes[512];
  ssize_t count = read(shim->control, bytes, sizeof bytes);
  if (count > 0) control_feed(&shim->input, bytes, (size_t)count, handle_command, shim);
}

void shim_read_signals(struct shim *shim) {
  struct signalfd_siginfo information;
  struct command command;
  while (read(shim->signals, &information, sizeof information) == (ssize_t)sizeof information) {
    if (information.ssi_signo == SIGCHLD) shim_reap(shim);
    else if (information.ssi_signo == SIGUSR2) shim_kill_task(shim, STOP_FORCE);
    else if (information.ssi_code == SI_QUEUE && control_unpack(information.ssi_ptr, &command))
      handle_command(&command, shim);
    else stop(shim, STOP_SHUTDOWN, SIGTERM, shim->grace_ms, false);
  }
}

void shim_check_deadlines(struct shim *shim) {
  int64_t now = boottime_ms();
  if (shim->timeout_deadline != 0 && now >= shim->timeout_deadline) {
    shim->timeout_deadline = 0;
    stop(shim, STOP_TIMEOUT, SIGTERM, shim->grace_ms, false);
  }
  if (shim->stop_deadline != 0 && now >= shim->stop_deadline) shim_kill_task(shim, STOP_FORCE);
  if (shim->hold_deadline != 0 && now >= shim->hold_deadline) {
    shim->hold_deadline = 0;
    fail(&shim->failure, STAGE_ISOLATION, 0,
        "nobody has compared what is in force with what was asked for within %lld ms",
        (long long)shim->spec->hold_ms);
    shim_kill_task(shim, STOP_FORCE);
  }
  if (shim->set_up_deadline == 0 || now < shim->set_up_deadline) return;
  shim->set_up_deadline = 0;
  if (shim->spec == NULL || shim->failure.stage != STAGE_NONE) return;
  fail(&shim->failure, STAGE_EXEC, 0, "stopped by a signal before exec");
  shim_kill_task(shim, STOP_FORCE);
}
