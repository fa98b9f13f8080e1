#include "collected.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "io.h"

/* GRACE_MS: for a collector that is started anew. PIPE_BUF bytes go into a pipe at once or not at all. */
enum { GRACE_MS = 2000, TURNS = 16, LOOK_MS = 5 };

static int unread_in(int fifo) {
  int count = 0;
  return ioctl(fifo, FIONREAD, &count) == 0 ? count : 0;
}

static void hold(struct collected *stream) {
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", stream->fifo);
  stream->held = open(link, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  stream->since = boottime_ms();
  stream->unread = unread_in(stream->fifo);
}

int collected_open(
    struct collected *stream, int fifo, int held, const struct spec *spec, struct failure *failure) {
  *stream = (struct collected){.pipe = -1, .fifo = fifo, .held = held, .since = boottime_ms()};
  stream->unread = unread_in(fifo);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(failure, STAGE_LOG, errno, "pipe");
  _cleanup_fd_ int write_end = ends[1];
  stream->pipe = ends[0];
  /* The task's own, so that a program may open /dev/stdout again. */
  if (spec->has_credentials && fchown(write_end, spec->uid, spec->gid) != 0)
    return fail(failure, STAGE_LOG, errno, "pipe: change of owner");
  if (fcntl(stream->pipe, F_SETFL, O_NONBLOCK) != 0 || fcntl(fifo, F_SETFL, O_NONBLOCK) != 0)
    return fail(failure, STAGE_LOG, errno, "pipe");
  int kept = write_end;
  write_end = -1;
  return kept;
}

/* When all that was put in is still there, nobody may be reading; when some is gone, somebody does. */
static void look_for_reader(struct collected *stream) {
  int unread = unread_in(stream->fifo);
  if (stream->held >= 0 && unread < stream->unread) close_fd(&stream->held);
  stream->unread = unread;
}

/* A collector that has died shows as an error, if we do not hold its end. */
static bool has_room(struct collected *stream) {
  for (int again = 0; again < 2; again++) {
    struct pollfd fifo = {.fd = stream->fifo, .events = POLLOUT};
    if (poll(&fifo, 1, 0) < 0) return false;
    if ((fifo.revents & POLLERR) == 0) return (fifo.revents & POLLOUT) != 0;
    hold(stream);
  }
  return false;
}

static bool gives_up(const struct collected *stream, int64_t now) {
  return stream->held >= 0 && now >= stream->since + GRACE_MS;
}

/* False: there is nothing more now. */
static bool carry(struct collected *stream, bool keep) {
  char bytes[PIPE_BUF];
  ssize_t count = read(stream->pipe, bytes, sizeof bytes);
  if (count == 0) close_fd(&stream->pipe);
  if (count <= 0) return count < 0 && errno == EINTR;
  ssize_t written = keep ? write(stream->fifo, bytes, (size_t)count) : -1;
  /* Died between the look and the write. */
  if (keep && written < 0 && errno == EPIPE) {
    hold(stream);
    written = write(stream->fifo, bytes, (size_t)count);
  }
  if (written != count) stream->dropped += count - (written > 0 ? written : 0);
  stream->unread = unread_in(stream->fifo);
  return true;
}

OWN_FRAME void collected_turn(struct collected *stream) {
  for (int turn = 0; turn < TURNS && stream->pipe >= 0; turn++) {
    look_for_reader(stream);
    stream->full = !has_room(stream);
    if (stream->full && !gives_up(stream, boottime_ms())) return;
    if (!carry(stream, !stream->full)) return;
  }
}

bool collected_is_due(const struct collected *stream, int64_t now) {
  return stream->pipe >= 0 && stream->full && gives_up(stream, now);
}

struct pollfd collected_await(const struct collected *stream, int64_t now, int64_t *wake) {
  if (!stream->full || stream->pipe < 0 || gives_up(stream, now))
    return (struct pollfd){.fd = stream->pipe, .events = POLLIN};
  int64_t end = stream->since + GRACE_MS;
  if (stream->held >= 0 && (*wake == 0 || *wake > end)) *wake = end;
  return (struct pollfd){.fd = stream->fifo, .events = POLLOUT};
}

/* What is in a FIFO when its last writer goes is there only for a reader that has it open already, and
 * whether one has shows only when it reads. */
bool collected_drain(struct collected *stream, int64_t deadline) {
  if (stream->fifo < 0) return true;
  while (stream->pipe >= 0 && boottime_ms() < deadline) {
    collected_turn(stream);
    if (stream->pipe >= 0) sleep_ms(LOOK_MS);
  }
  while (unread_in(stream->fifo) > 0 && boottime_ms() < deadline) sleep_ms(LOOK_MS);
  /* Somebody still holds the pipe: what has not been carried by now is not. */
  if (stream->pipe >= 0) stream->dropped += unread_in(stream->pipe);
  return stream->pipe < 0 && stream->dropped == 0 && unread_in(stream->fifo) == 0;
}
