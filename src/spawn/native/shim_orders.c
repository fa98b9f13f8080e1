#include "shim_state.h"
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "system.h"

void shim_earlier(int64_t *deadline, int64_t at) {
  if (*deadline == 0 || at < *deadline) *deadline = at;
}

void shim_note_stop(struct shim *shim, enum stop_reason reason, int number) {
  if (shim->record.stop.reason == STOP_NONE) shim->record.stop = (struct stop_record){.reason = reason, .signal = number, .at = realtime_ms()};
}

void shim_force(struct shim *shim, enum stop_reason reason) {
  shim_note_stop(shim, reason, SIGKILL);
  if (shim->record.stop.forced_at == 0) shim->record.stop.forced_at = realtime_ms();
  shim->stop_deadline = 0;
  shim_earlier(&shim->give_up, boottime_ms() + KILL_MOST_MS);
  tree_kill(&shim->tree);
}

static void stop(struct shim *shim, enum stop_reason reason, int number, int64_t grace_ms, bool leader_only) {
  if (shim->tree.leader == 0 || shim->record.stop.forced_at != 0) return;
  bool first = shim->record.stop.reason == STOP_NONE;
  shim_note_stop(shim, reason, number);
  shim_earlier(&shim->stop_deadline, boottime_ms() + grace_ms);
  if (!first) return;
  /* Before its setsid the group does not exist yet; the signal then waits in the process itself. */
  pid_t leader = shim->tree.leader;
  if (leader_only || kill(-leader, number) != 0) kill(leader, number);
  /* A stopped task could not act on it. */
  if (leader_only || kill(-leader, SIGCONT) != 0) kill(leader, SIGCONT);
}

bool shim_gave_too_much(const struct shim *shim) {
  return shim->output_most != 0 && shim->logs[0].pump.carried + shim->logs[1].pump.carried > shim->output_most;
}

void shim_check_output(struct shim *shim) {
  if (shim->record.stop.reason == STOP_NONE && shim_gave_too_much(shim)) stop(shim, STOP_OUTPUT, SIGTERM, shim->grace_ms, false);
}

static void obey(const struct order *order, void *context) {
  struct shim *shim = context;
  switch (order->kind) {
    case ORDER_BAD: shim_note(shim, "control: a line that is no order"); break;
    case ORDER_SIGNAL:
      if (shim->tree.leader > 0) kill(shim->tree.leader, order->signal);
      break;
    case ORDER_STOP: stop(shim, STOP_SHUTDOWN, order->signal, order->grace_ms, order->leader_only); break;
    case ORDER_KILL: shim_force(shim, STOP_FORCE); break;
    case ORDER_WALL:
      /* From exec on, as the first limit was: one that has passed stops the task now. */
      shim->wall_ms = order->wall_ms;
      if (shim->execed_at != 0 && shim->record.stop.reason == STOP_NONE) shim->wall_deadline = shim->execed_at + order->wall_ms;
      break;
    case ORDER_OUTPUT:
      shim->output_most = order->output_most;
      shim_check_output(shim);
      break;
    case ORDER_OOM: shim->oom_takes_all = order->whole_task; break;
    case ORDER_SIZE: terminal_resize(shim->terminal, (int)order->rows, (int)order->columns); break;
    case ORDER_END: terminal_end(shim->terminal); break;
  }
}

OWN_FRAME void shim_read_control(struct shim *shim) {
  char bytes[512];
  ssize_t count = read(shim->control, bytes, sizeof bytes);
  if (count > 0) control_feed(&shim->input, bytes, (size_t)count, obey, shim);
}

void shim_read_signals(struct shim *shim) {
  struct signalfd_siginfo information;
  struct order order;
  while (read(shim->signals, &information, sizeof information) == (ssize_t)sizeof information) {
    if (information.ssi_signo == SIGCHLD) shim_reap(shim);
    else if (information.ssi_signo == SIGUSR2) shim_force(shim, STOP_FORCE);
    else if (information.ssi_code == SI_QUEUE && control_unpack(information.ssi_ptr, &order)) obey(&order, shim);
    else stop(shim, STOP_SHUTDOWN, SIGTERM, shim->grace_ms, false);
  }
}

void shim_check_deadlines(struct shim *shim) {
  int64_t now = boottime_ms();
  if (shim->wall_deadline != 0 && now >= shim->wall_deadline) {
    shim->wall_deadline = 0;
    stop(shim, STOP_TIMEOUT, SIGTERM, shim->grace_ms, false);
  }
  if (shim->stop_deadline != 0 && now >= shim->stop_deadline) shim_force(shim, STOP_FORCE);
  if (shim->set_up_deadline == 0 || now < shim->set_up_deadline) return;
  shim->set_up_deadline = 0;
  if (shim->spec == NULL || shim->failure.stage != STAGE_NONE) return;
  fail(&shim->failure, STAGE_EXEC, 0, "stopped by a signal before exec");
  shim_force(shim, STOP_FORCE);
}
