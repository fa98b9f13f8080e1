#include "shim_state.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "power.h"
#include "system.h"

/* The slots of what the loop waits for. The order in which they are looked at is the loop's. */
enum slot {
  SLOT_SIGNALS,
  SLOT_CONTROL,
  SLOT_STATUS,
  SLOT_REPLY,
  SLOT_LIFELINE,
  SLOT_TARGET,
  SLOT_PID,
  SLOT_MEMORY,
  SLOT_LOGS,
  SLOT_COLLECTED = SLOT_LOGS + 2,
  SLOT_TERMINAL = SLOT_COLLECTED + 2,
  SLOT_EGRESS = SLOT_TERMINAL + 4,
  SLOT_COUNT
};

OWN_FRAME void PRINTF(2, 3) write_shim_log(struct shim *shim, const char *format, ...) {
  if (shim->dir < 0 || ++shim->notes > MAX_NOTES) return;
  _cleanup_fd_ int fd = openat(
      shim->dir, "shim.log", O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
  if (fd < 0) return;
  va_list arguments;
  va_start(arguments, format);
  dprintf(fd, "%lld ", (long long)realtime_ms());
  vdprintf(fd, format, arguments);
  va_end(arguments);
  write_all(fd, "\n", 1);
}

static int until(int64_t now, int64_t deadline, int min) {
  if (deadline == 0) return min;
  int64_t left = deadline - now;
  int wait = left <= 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
  return min < 0 || wait < min ? wait : min;
}

/*
 * A task can hold its pipe's lock for as long as it lives, by a splice(2) into it from a socket that is
 * silent, and whoever reads the pipe meanwhile waits where no signal ends it. We are killed past, at a limit
 * or a stop, by those who know of the start: it is reported before anything is carried.
 */
static bool may_carry(const struct shim *shim, int64_t now) {
  return (shim->spec == NULL && shim->line_length == 0) || (shim->carry_from != 0 && now >= shim->carry_from);
}

/* That the task is held, or that it has started: not said yet. */
static bool has_word(const struct shim *shim) {
  return shim->held ? !shim->held_told : shim->spec == NULL && shim->line_length > 0;
}

static bool is_over(const struct shim *shim) {
  if (shim->tree.leader == 0 && shim->status_pipe < 0) return true;
  return shim->give_up != 0 && boottime_ms() >= shim->give_up;
}

/* Whom the task is not to outlive is gone. */
static void hang_up(struct shim *shim, int *fd) {
  close_fd(fd);
  shim_kill_task(shim, STOP_ORPHANED);
}

static void live(struct shim *shim) {
  while (!is_over(shim)) {
    int64_t now = boottime_ms(), wake = may_carry(shim, now) ? 0 : shim->carry_from;
    struct pollfd waiting[SLOT_COUNT] = {
        [SLOT_SIGNALS] = {.fd = shim->signals, .events = POLLIN},
        [SLOT_CONTROL] = {.fd = shim->control, .events = POLLIN},
        [SLOT_STATUS] = {.fd = shim->status_pipe, .events = POLLIN},
        [SLOT_REPLY] = {.fd = has_word(shim) ? shim->reply : -1, .events = POLLOUT},
        /* Nobody writes into these: they can only hang up. */
        [SLOT_LIFELINE] = {.fd = shim->lifeline},
        [SLOT_TARGET] = {.fd = shim->target_alive},
        [SLOT_PID] = {.fd = shim->pid_pipe, .events = POLLIN},
        [SLOT_MEMORY] = {.fd = shim->oom_event, .events = POLLIN},
        [SLOT_EGRESS] = {.fd = shim->egress.channel, .events = POLLIN},
        [SLOT_TERMINAL] = {.fd = -1},
        [SLOT_TERMINAL + 1] = {.fd = -1},
        [SLOT_TERMINAL + 2] = {.fd = -1},
        [SLOT_TERMINAL + 3] = {.fd = -1},
    };
    for (int i = 0; i < 2; i++) {
      const bool may = may_carry(shim, now);
      waiting[SLOT_LOGS + i] =
          (struct pollfd){.fd = may ? pump_await(&shim->logs[i].pump, now, &wake) : -1, .events = POLLIN};
      waiting[SLOT_COLLECTED + i] =
          may ? collected_await(&shim->logs[i].collected, now, &wake) : (struct pollfd){.fd = -1};
    }
    terminal_await(shim->terminal, waiting + SLOT_TERMINAL);
    int wait = until(now, wake,
        until(now, shim->timeout_deadline,
            until(now, shim->stop_deadline,
                until(now, shim->set_up_deadline,
                    until(now, shim->hold_deadline,
                        until(now, shim->oom_look, until(now, shim->give_up, -1)))))));
    if (poll(waiting, SLOT_COUNT, wait) < 0 && errno != EINTR)
      write_shim_log(shim, "poll: %s", strerror(errno));
    if (waiting[SLOT_PID].revents != 0) shim_take_leader(shim);
    if (waiting[SLOT_STATUS].revents != 0) shim_read_status(shim);
    if (waiting[SLOT_REPLY].revents != 0 && shim->held) shim_report_held(shim);
    else if (waiting[SLOT_REPLY].revents != 0) shim_report_start(shim, 0);
    if (waiting[SLOT_SIGNALS].revents != 0) shim_read_signals(shim);
    if (waiting[SLOT_CONTROL].revents != 0) shim_read_control(shim);
    terminal_move(shim->terminal, waiting + SLOT_TERMINAL);
    if (waiting[SLOT_LIFELINE].revents != 0) hang_up(shim, &shim->lifeline);
    if (waiting[SLOT_TARGET].revents != 0) hang_up(shim, &shim->target_alive);
    /* A turn at most: what is asked of us comes between. */
    for (int i = 0; i < 2; i++)
      if (waiting[SLOT_LOGS + i].revents != 0) pump_turn(&shim->logs[i].pump);
    for (int i = 0; i < 2; i++)
      if (waiting[SLOT_COLLECTED + i].revents != 0 ||
          (may_carry(shim, now) && collected_is_due(&shim->logs[i].collected, boottime_ms())))
        collected_turn(&shim->logs[i].collected);
    if (waiting[SLOT_EGRESS].revents != 0) egress_link_read(&shim->egress, shim->dir);
    if (waiting[SLOT_MEMORY].revents != 0) shim_hear_of_memory(shim);
    shim_check_memory(shim);
    shim_check_output(shim);
    shim_check_deadlines(shim);
  }
}

/* In this order: what is above the shim is given back when the task has begun. */
struct life {
  struct shim shim;
  struct status_input status_input;
};

/* With nothing open, and nothing happened yet. */
static void reset(struct life *life, const struct platform_info *platform, volatile char *word) {
  life->status_input.used = 0;
  life->shim = (struct shim){
      .status_input = &life->status_input,
      .platform = platform,
      .word = word,
      .reply = -1,
      .dir = -1,
      .control = -1,
      .alive = -1,
      .lifeline = -1,
      .signals = -1,
      .reserved = -1,
      .death_pipe = -1,
      .exec_barrier = -1,
      .status_pipe = -1,
      .oom_event = -1,
      .target_alive = -1,
      .target_dir = -1,
      .target_leader = -1,
      .target_init = -1,
      .pid_pipe = -1,
      .record = {.counters = NO_COUNTERS, .log_dropped = -1, .egress_denied = -1},
      .process_files = NO_PROCESS_FILES,
      .egress = NO_EGRESS,
      .logs = {{.pump = NO_PUMP, .collected = NOT_COLLECTED, .held = -1, .plain = -1},
          {.pump = NO_PUMP, .collected = NOT_COLLECTED, .held = -1, .plain = -1}},
      .index = NO_INDEX,
  };
}

/* From here on nothing returns to the frame that has the shim, and all that is needed is in it, or below. */
static OWN_FRAME _Noreturn void serve(struct shim *shim, bool detached) {
  if (detached && shim_set_up(shim) == 0) {
    /* Without it what we write of the task's output is bound by a quota as what the task writes itself. */
    if (!drop_effective(CAP_SYS_RESOURCE)) write_shim_log(shim, "CAP_SYS_RESOURCE: %s", strerror(errno));
    if (shim->setns_helper == 0 && shim_record_start(shim) != 0) shim_kill_task(shim, STOP_FORCE);
    live(shim);
  } else tree_kill(&shim->tree);
  shim_finish(shim);
}

_Noreturn void shim_run(const struct spec *spec, struct request *request,
    const struct platform_info *platform, volatile char *word) {
  struct life life;
  struct shim *shim = &life.shim;
  reset(&life, platform, word);
  shim->id = spec->id;
  shim->spec = spec;
  shim->request = request;
  if ((shim->reply = fcntl(1, F_DUPFD_CLOEXEC, 3)) < 0)
    fail(&shim->failure, STAGE_FORK, errno, "descriptor for the answer");
  prctl(PR_SET_NAME, SHIM_NAME, 0, 0, 0);
  serve(shim, shim->reply >= 0 && shim_detach(shim, shim->reply) == 0);
}

_Noreturn void shim_park(int socket, const struct platform_info *platform, volatile char *word) {
  struct life life;
  struct shim *shim = &life.shim;
  struct spec spec;
  struct request request;
  reset(&life, platform, word);
  if (shim_detach(shim, socket) == 0 && shim_fork_stub(shim) == 0 &&
      shim_await_request(shim, socket, &spec, &request))
    serve(shim, true);
  /* Nobody has asked anything of it. */
  if (shim->tree.stub > 0 && kill(shim->tree.stub, SIGKILL) == 0) waitpid(shim->tree.stub, NULL, 0);
  _exit(0);
}
