#include "parked.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "shim.h"
#include "system.h"

enum { MAX_LEAVING_MS = 1000 };

bool parked_parse(const char *text, int *max, int *keep_ms) {
  char count[16];
  int64_t value;
  const size_t length = strcspn(text, ",");
  if (length >= sizeof count) return false;
  memcpy(count, text, length);
  count[length] = '\0';
  if (!parse_number(count, 0, MAX_PARKED, &value)) return false;
  *max = (int)value;
  if (text[length] == '\0') return true;
  if (!parse_number(text + length + 1, 1, 3600000, &value)) return false;
  *keep_ms = (int)value;
  return true;
}

static int wanted(const struct parked *parked, int64_t now) {
  int recent = 0;
  for (int i = 0; i <= MAX_PARKED; i++)
    if (parked->starts[i] != 0 && now - parked->starts[i] < parked->keep_ms) recent++;
  const int more = recent > 0 ? recent - 1 : 0;
  return more < parked->max ? more : parked->max;
}

static int waiting(const struct parked *parked) {
  int count = 0;
  for (int i = 0; i < parked->count; i++) count += parked->shims[i].socket >= 0;
  return count;
}

bool parked_wants(const struct parked *parked, int64_t now) {
  return parked->count < MAX_PARKED && waiting(parked) < wanted(parked, now);
}

/* It sees the end of its socket, and exits. */
static void dismiss(struct parked *parked, int max) {
  for (int i = 0; i < parked->count && waiting(parked) > max; i++) close_fd(&parked->shims[i].socket);
}

/* What fails is not tried again and again: the next starts ask anew. */
static bool give_up(struct parked *parked) {
  memset(parked->starts, 0, sizeof parked->starts);
  return false;
}

bool parked_make(struct parked *parked, const struct platform_info *platform, int slot, volatile char *word) {
  /* Before the fork: what changes after this look is found by the next. */
  if (waiting(parked) > 0 && !birth_is_same(&parked->birth)) dismiss(parked, 0);
  if (waiting(parked) == 0 && !birth_take(&parked->birth)) return give_up(parked);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return give_up(parked);
  const pid_t pid = sys_fork();
  /* The spawner's own state is not there in the shim. */
  if (pid == 0) shim_park(ends[1], platform, word);
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return give_up(parked);
  }
  parked->shims[parked->count++] = (struct parked_shim){.pid = pid, .slot = slot, .socket = ends[0]};
  return true;
}

/*
 * An exec session is of another task's namespaces, a task of the host's processes has no PID 1 of its own,
 * and what maps owners must be forked before there is one.
 */
static bool fits(const struct spec *spec, const struct request *request) {
  return (spec->namespaces & NAMESPACE_PID) != 0 && spec->inside.alive == NULL && spec->maps == NULL &&
         request->secrets == NULL && request->frame_size <= MAX_HANDED;
}

/* Whole, or not at all. With it goes what a shim must not hold before: the pipe for replies. */
static bool hand_over(int socket, const struct spec *spec, const struct request *request) {
  const int given[] = {1, spec->prepared_root};
  const bool both = spec->prepared_root >= 0;
  union {
    char bytes[CMSG_SPACE(sizeof given)];
    struct cmsghdr header;
  } control = {.bytes = {0}};
  control.header = (struct cmsghdr){.cmsg_len = both ? CMSG_LEN(sizeof given) : CMSG_LEN(sizeof given[0]),
      .cmsg_level = SOL_SOCKET,
      .cmsg_type = SCM_RIGHTS};
  memcpy(CMSG_DATA(&control.header), given, sizeof given);
  struct iovec frame = {.iov_base = request->frame, .iov_len = request->frame_size};
  const struct msghdr message = {.msg_iov = &frame,
      .msg_iovlen = 1,
      .msg_control = control.bytes,
      .msg_controllen = both ? CMSG_SPACE(sizeof given) : CMSG_SPACE(sizeof given[0])};
  ssize_t sent;
  do sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

static void forget(struct parked *parked, int index) {
  close_fd(&parked->shims[index].socket);
  /* In their order: the oldest is the surest to be ready. */
  memmove(parked->shims + index, parked->shims + index + 1,
      sizeof parked->shims[0] * (size_t)(--parked->count - index));
}

pid_t parked_fill(struct parked *parked, const struct spec *spec, const struct request *request,
    volatile char *words, int *slot) {
  if (!fits(spec, request)) return 0;
  parked->starts[parked->next_start++ % (MAX_PARKED + 1)] = boottime_ms();
  if (waiting(parked) == 0) return 0;
  if (!birth_is_same(&parked->birth)) {
    dismiss(parked, 0);
    return 0;
  }
  for (int i = 0; i < parked->count; i++) {
    struct parked_shim *shim = &parked->shims[i];
    if (shim->socket < 0 || words[shim->slot] != SHIM_PARKED) continue;
    words[shim->slot] = SHIM_SILENT;
    /* It has died by now, and is about to be reaped: nobody has the request. */
    if (!hand_over(shim->socket, spec, request)) {
      close_fd(&shim->socket);
      continue;
    }
    const pid_t pid = shim->pid;
    *slot = shim->slot;
    forget(parked, i);
    return pid;
  }
  return 0;
}

void parked_trim(struct parked *parked, int64_t now) {
  if (parked->count > 0) dismiss(parked, wanted(parked, now));
}

int parked_until(const struct parked *parked, int64_t now) {
  if (waiting(parked) == 0) return -1;
  int64_t first = parked->keep_ms;
  for (int i = 0; i <= MAX_PARKED; i++) {
    const int64_t left = parked->starts[i] + parked->keep_ms - now;
    if (parked->starts[i] != 0 && left > 0 && left < first) first = left;
  }
  return (int)first;
}

bool parked_take_status(struct parked *parked, pid_t pid, int status, int *slot) {
  *slot = -1;
  for (int i = 0; i < parked->count; i++) {
    const struct parked_shim *shim = &parked->shims[i];
    if (shim->pid != pid) continue;
    if (WIFSTOPPED(status)) {
      /* Whoever stops it would stop a start. */
      kill(pid, SIGKILL);
      close_fd(&parked->shims[i].socket);
      return true;
    }
    /* By itself, or killed. */
    if (shim->socket >= 0) give_up(parked);
    *slot = shim->slot;
    forget(parked, i);
    return true;
  }
  return false;
}

void parked_release(struct parked *parked) {
  const int64_t end = boottime_ms() + MAX_LEAVING_MS;
  dismiss(parked, 0);
  while (parked->count > 0 && boottime_ms() < end) {
    const struct parked_shim *last = &parked->shims[parked->count - 1];
    const pid_t pid = waitpid(last->pid, NULL, WNOHANG);
    if (pid == 0) sleep_ms(1);
    else forget(parked, parked->count - 1);
  }
}
