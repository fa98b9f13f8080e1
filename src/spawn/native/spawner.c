#include "spawner.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "empty_namespace.h"
#include "enforced.h"
#include "features.h"
#include "frame.h"
#include "log.h"
#include "parked.h"
#include "prepared_roots.h"
#include "record.h"
#include "reply.h"
#include "seal.h"
#include "shim.h"
#include "system.h"
#include "user_namespace.h"

/*
 * Milliseconds that a shim has to answer; that it has when somebody has stopped it, or when it has been
 * killed. The first is for a hung file system: no set-up takes a second by itself.
 */
enum { SLOTS = 4096, MAX_SET_UP_MS = 120000, MAX_STOPPED_MS = 5000, MAX_DYING_MS = 5000 };
/* While tasks run: so long nothing has happened before a shim is parked. */
enum { PARKING_PAUSE_MS = 10 };

struct running {
  pid_t pid;
  int id;
  /* Its index into `words`; -1 when all were taken. */
  int slot;
  /* Boottime milliseconds by which it has to have answered; 0: it has, or nothing more is to be done about
   * it. */
  int64_t deadline;
  bool stopped, killed;
};

struct spawner {
  struct running *running;
  size_t count, capacity;
  /* One byte for each shim, shared with it: an enum shim_word. A shim killed from outside cannot say that it
   * has not answered. */
  volatile char *words;
  bool taken[SLOTS];
  int next_slot;
  /* The earliest of all deadlines; 0: none. */
  int64_t deadline;
  struct prepared_roots roots;
  struct parked parked;
  /* Not 0: the errno with which the user namespace was refused, and at which step. Every launch reports it.
   */
  int refused;
  const char *step;
  /* On pages of its own, written once: all shims share them. */
  const struct platform_info *platform;
};

static void say(const char *line, size_t length) {
  /* EPIPE: the supervisor is gone, and the end of file is about to say so. */
  if (!write_all(1, line, length) && errno != EPIPE)
    dprintf(2, "holdfast-native: reply: %s\n", strerror(errno));
}

static OWN_FRAME void say_failed(int id, enum stage stage, int error, const char *detail) {
  struct failure failure = {.stage = stage, .error = error};
  snprintf(failure.detail, sizeof failure.detail, "%s", detail);
  char line[MAX_REPLY];
  say(line, reply_failed(line, id, &failure));
}

static int take_slot(struct spawner *spawner) {
  for (int tried = 0; tried < SLOTS; tried++) {
    int slot = (spawner->next_slot + tried) % SLOTS;
    if (spawner->taken[slot]) continue;
    spawner->taken[slot] = true;
    spawner->words[slot] = SHIM_SILENT;
    spawner->next_slot = slot + 1;
    return slot;
  }
  return -1;
}

static bool remember(struct spawner *spawner, struct running running) {
  if (spawner->count == spawner->capacity) {
    size_t capacity = spawner->capacity == 0 ? 256 : spawner->capacity * 2;
    struct running *grown = pages_allocate(capacity * sizeof *grown);
    if (grown == NULL) return false;
    pages_keep_from_children(grown, capacity * sizeof *grown);
    if (spawner->count > 0) memcpy(grown, spawner->running, spawner->count * sizeof *grown);
    pages_release(spawner->running, spawner->capacity * sizeof *grown);
    spawner->running = grown;
    spawner->capacity = capacity;
  }
  spawner->running[spawner->count++] = running;
  return true;
}

static void set_deadline(struct spawner *spawner, size_t index, int milliseconds) {
  int64_t at = boottime_ms() + milliseconds, *own = &spawner->running[index].deadline;
  if (*own == 0 || at < *own) *own = at;
  if (spawner->deadline == 0 || *own < spawner->deadline) spawner->deadline = *own;
}

static void launch(struct spawner *spawner, struct request *request) {
  struct spec spec;
  const char *wrong = spec_parse(request, &spec);
  if (wrong != NULL) {
    say_failed(spec.id, STAGE_REQUEST, EINVAL, wrong);
    return;
  }
  if (spawner->refused != 0) {
    say_failed(spec.id, STAGE_NAMESPACE, spawner->refused, spawner->step);
    return;
  }
  /* Room first: a shim that nobody could reap by name must not exist. */
  if (!remember(spawner, (struct running){.id = spec.id, .slot = -1})) {
    say_failed(spec.id, STAGE_FORK, ENOMEM, "memory");
    return;
  }
  struct running *running = &spawner->running[spawner->count - 1];
  const struct platform_info *platform = spawner->platform;
  spec.prepared_root = prepared_root_for(&spawner->roots, &spec, platform);
  running->pid = parked_fill(&spawner->parked, &spec, request, spawner->words, &running->slot);
  if (running->pid == 0) {
    running->slot = take_slot(spawner);
    volatile char *word = running->slot < 0 ? NULL : &spawner->words[running->slot];
    const pid_t pid = sys_fork();
    /* The spawner's own state is not there in the shim. */
    if (pid == 0) shim_run(&spec, request, platform, word);
    running->pid = pid;
  }
  if (running->pid < 0) {
    say_failed(spec.id, STAGE_FORK, errno, "shim");
    if (running->slot >= 0) spawner->taken[running->slot] = false;
    spawner->count--;
    return;
  }
  if (running->slot >= 0) set_deadline(spawner, spawner->count - 1, MAX_SET_UP_MS);
}

static void reap_shim(struct spawner *spawner, size_t index, int status) {
  struct running running = spawner->running[index];
  spawner->running[index] = spawner->running[--spawner->count];
  if (running.slot >= 0) {
    char detail[96];
    if (running.killed)
      snprintf(detail, sizeof detail,
          running.stopped ? "the shim was stopped during set-up"
                          : "the shim did not come to an end with its set-up");
    else
      snprintf(detail, sizeof detail, "the shim was killed by signal %d during set-up",
          WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    if (spawner->words[running.slot] == SHIM_SILENT) say_failed(running.id, STAGE_FORK, 0, detail);
    spawner->taken[running.slot] = false;
  }
  char line[32];
  int length = snprintf(line, sizeof line, "gone %d\n", running.id);
  say(line, (size_t)length);
}

/* All in one write: whoever reads is woken once for as many as have ended meanwhile. */
static OWN_FRAME void report_ends(struct spawner *spawner) {
  enum { MAX_LINE = 24 };
  char lines[MAX_REPLY];
  size_t length = 0;
  uint64_t rung;
  if (read(spawner->platform->bell, &rung, sizeof rung) < 0) return;
  for (size_t i = 0; i < spawner->count; i++) {
    const struct running *running = &spawner->running[i];
    if (running->slot < 0 || spawner->words[running->slot] != SHIM_RECORDED) continue;
    spawner->words[running->slot] = SHIM_END_REPORTED;
    length += (size_t)snprintf(lines + length, MAX_LINE, "ended %d\n", running->id);
    if (length <= sizeof lines - MAX_LINE) continue;
    say(lines, length);
    length = 0;
  }
  if (length > 0) say(lines, length);
}

static bool owes_answer(const struct spawner *spawner, const struct running *running) {
  return running->slot >= 0 && spawner->words[running->slot] == SHIM_SILENT;
}

/* Nobody may wait for it for ever: it goes on soon, or is killed. */
static void record_stopped(struct spawner *spawner, size_t index) {
  struct running *running = &spawner->running[index];
  if (!owes_answer(spawner, running) || running->killed) return;
  running->stopped = true;
  set_deadline(spawner, index, MAX_STOPPED_MS);
}

static void reap(struct spawner *spawner) {
  int status, slot;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0;) {
    if (parked_take_status(&spawner->parked, pid, status, &slot)) {
      if (slot >= 0) spawner->taken[slot] = false;
      continue;
    }
    for (size_t i = 0; i < spawner->count; i++)
      if (spawner->running[i].pid == pid) {
        if (WIFSTOPPED(status)) record_stopped(spawner, i);
        else reap_shim(spawner, i, status);
        break;
      }
  }
}

/* SIGKILL reaches one that is stopped, too; in a system call that does not return it waits for that, and is
 * answered for. */
static void overdue(struct spawner *spawner, size_t index) {
  struct running *running = &spawner->running[index];
  running->deadline = 0;
  if (!owes_answer(spawner, running)) return;
  if (!running->killed) {
    running->killed = true;
    kill(running->pid, SIGKILL);
    set_deadline(spawner, index, MAX_DYING_MS);
  } else {
    spawner->words[running->slot] = SHIM_ANSWERED;
    say_failed(running->id, STAGE_FORK, 0, "the shim hangs in its set-up, and cannot be killed");
  }
}

static void check_deadlines(struct spawner *spawner) {
  int64_t now = boottime_ms();
  if (spawner->deadline == 0 || now < spawner->deadline) return;
  spawner->deadline = 0;
  for (size_t i = 0; i < spawner->count; i++) {
    if (spawner->running[i].deadline != 0 && now >= spawner->running[i].deadline) overdue(spawner, i);
    int64_t at = owes_answer(spawner, &spawner->running[i]) ? spawner->running[i].deadline : 0;
    if (at != 0 && (spawner->deadline == 0 || at < spawner->deadline)) spawner->deadline = at;
  }
}

static int until_deadline(const struct spawner *spawner) {
  if (spawner->deadline == 0) return -1;
  int64_t left = spawner->deadline - boottime_ms();
  return left <= 0 ? 0 : (int)left;
}

static int read_oom_score_adj(void) {
  char text[16];
  int64_t value;
  if (read_file_at(AT_FDCWD, "/proc/self/oom_score_adj", text, sizeof text) <= 0) return 0;
  text[strcspn(text, "\n")] = '\0';
  return parse_number(text, -1000, 1000, &value) ? (int)value : 0;
}

/* The killer of processes must spare the ones that write down who was killed. Not allowed without
 * CAP_SYS_RESOURCE, and then no matter. */
static void ask_to_be_spared(struct platform_info *platform) {
  platform->oom_score_adj = read_oom_score_adj();
  write_file("/proc/self/oom_score_adj", "-1000");
  platform->own_oom_score_adj = read_oom_score_adj();
}

static int open_child_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  signal(SIGPIPE, SIG_IGN);
  if (sigprocmask(SIG_SETMASK, &set, NULL) != 0) return -1;
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_null_view(void) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  return null < 0 ? -1 : open_read_only_view(null, O_RDWR | O_CLOEXEC);
}

static OWN_FRAME void say_ready(const struct platform_info *platform) {
  char features[512], line[600];
  platform_describe(platform, features, sizeof features);
  int length = snprintf(line, sizeof line, "ready %d %s\n", NATIVE_VERSION, features);
  say(line, (size_t)length);
}

static bool is_setting_up(const struct spawner *spawner) {
  for (size_t i = 0; i < spawner->count; i++)
    if (owes_answer(spawner, &spawner->running[i])) return true;
  return false;
}

/* Milliseconds in which nothing may happen before a shim is parked; -1: none is to be. Not with a part of a
 * request at hand, which would be in its memory. */
static int until_parking(const struct spawner *spawner, const struct frame_reader *reader) {
  if (reader->header_used > 0 || !parked_wants(&spawner->parked, boottime_ms())) return -1;
  return spawner->count == 0 ? 0 : PARKING_PAUSE_MS;
}

static void park(struct spawner *spawner) {
  const int slot = is_setting_up(spawner) ? -1 : take_slot(spawner);
  if (slot < 0) return;
  if (!parked_make(&spawner->parked, spawner->platform, slot, &spawner->words[slot]))
    spawner->taken[slot] = false;
}

static int sooner(int one, int other) { return one < 0 || (other >= 0 && other < one) ? other : one; }

/* Waits on both, so that shims are buried while a large frame is still coming in. */
static int serve(struct spawner *spawner, int signals) {
  struct frame_reader reader = {0};
  struct pollfd waiting[] = {{.fd = 0, .events = POLLIN}, {.fd = signals, .events = POLLIN},
      {.fd = spawner->platform->bell, .events = POLLIN}};
  for (;;) {
    const int deadline = sooner(until_deadline(spawner), parked_until(&spawner->parked, boottime_ms())),
              parking = until_parking(spawner, &reader), found = poll(waiting, 3, sooner(deadline, parking));
    if (found < 0 && errno != EINTR) return 2;
    check_deadlines(spawner);
    parked_trim(&spawner->parked, boottime_ms());
    if (found == 0 && parking >= 0 && sooner(deadline, parking) == parking) park(spawner);
    if (waiting[2].revents != 0) report_ends(spawner);
    if (waiting[1].revents != 0) {
      struct signalfd_siginfo information;
      while (read(signals, &information, sizeof information) > 0) {}
      reap(spawner);
    }
    if (waiting[0].revents == 0) continue;
    enum frame_state state = frame_read(&reader, 0);
    if (state == FRAME_MORE) continue;
    struct request request = frame_take(&reader);
    if (state == FRAME_WHOLE) launch(spawner, &request);
    request_release(&request);
    if (state == FRAME_WHOLE) continue;
    if (state == FRAME_BAD) dprintf(2, "holdfast-native: a frame that is none\n");
    return state == FRAME_END ? 0 : 2;
  }
}

int spawner_run(const struct spawner_options *options) {
  /* A terminal's Ctrl-C is the supervisor's to handle. Fails when we lead a group already, which serves as
   * well. */
  setsid();
  /* Once for all tasks: those that cannot have one of their own at least do not have the supervisor's. */
  sys_own_session_keyring();
  close_others(NULL, 0);
  _cleanup_fd_ int signals = open_child_signals();
  struct platform_info *platform = pages_allocate(sizeof *platform);
  struct spawner *spawner = pages_allocate(sizeof *spawner);
  char *words = mmap(NULL, SLOTS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (signals < 0 || platform == NULL || spawner == NULL || words == MAP_FAILED) {
    dprintf(2, "holdfast-native: %s\n", strerror(errno));
    return 2;
  }
  pages_keep_from_children(spawner, sizeof *spawner);
  /* Before all else: what is opened, probed and forked from here on belongs to that namespace. */
  enum mapped_ids ids;
  if (options->rootless && !user_namespace_enter(&ids, &spawner->step)) spawner->refused = errno;
  platform_probe(platform);
  platform->spawner = getpid();
  /* An executed descriptor leaves its number for a name. */
  prctl(PR_SET_NAME, "holdfast-native", 0, 0, 0);
  platform->is_sealed = seal_holds();
  platform->supervisor = identify(getppid());
  ask_to_be_spared(platform);
  inherited_take(&platform->inherited);
  platform->empty_namespace = empty_namespace_make();
  if ((platform->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
    dprintf(2, "holdfast-native: eventfd: %s\n", strerror(errno));
    return 2;
  }
  if ((platform->null = open_null_view()) < 0) {
    dprintf(2, "holdfast-native: /dev/null: %s\n", strerror(errno));
    return 2;
  }
  enforced_describe_self(&platform->own_facts);
  say_ready(platform);
  spawner->platform = platform;
  spawner->words = words;
  spawner->parked.max = options->parked_max;
  spawner->parked.keep_ms = options->parked_keep_ms;
  int code = serve(spawner, signals);
  parked_release(&spawner->parked);
  prepared_roots_release(&spawner->roots);
  pages_release(spawner->running, spawner->capacity * sizeof *spawner->running);
  pages_release(spawner, sizeof *spawner);
  text_free(&platform->own_facts);
  pages_release(platform, sizeof *platform);
  return code;
}
