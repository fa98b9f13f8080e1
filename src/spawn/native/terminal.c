#include "terminal.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

/* Bytes on their way from one descriptor to another; nothing more is read before all of them are gone. */
struct flow {
  int from, to;
  size_t used, sent;
  /* What came last did not end a line. */
  bool in_line;
  /* Both are closed at the end: the receiver is to see it. */
  bool ends;
  char bytes[4096];
};

struct terminal {
  int master;
  struct flow input, output;
};

static void set_nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

struct terminal *terminal_open(const struct spec *spec, int in, int out, int *task_end, struct failure *failure) {
  _cleanup_fd_ int input = in, output = out;
  _cleanup_fd_ int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  int unlocked = 0;
  if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) != 0) return fail(failure, STAGE_FORK, errno, "/dev/ptmx"), NULL;
  struct terminal *terminal = pages_allocate(sizeof *terminal);
  if (terminal == NULL) return fail(failure, STAGE_FORK, ENOMEM, "memory"), NULL;
  *terminal = (struct terminal){.master = master};
  terminal_resize(terminal, spec->terminal_rows, spec->terminal_columns);
  /* By the descriptor: the name in /dev/pts may be another mount's. */
  int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (peer < 0 || (spec->has_credentials && fchown(peer, spec->uid, spec->gid) != 0) || fchmod(peer, 0620) != 0) {
    fail(failure, STAGE_FORK, errno, "pseudo-terminal");
    close_fd(&peer);
    pages_release(terminal, sizeof *terminal);
    return NULL;
  }
  set_nonblocking(input);
  set_nonblocking(output);
  terminal->input.from = input;
  terminal->input.to = terminal->output.from = master;
  terminal->output.to = output;
  input = output = master = -1;
  *task_end = peer;
  return terminal;
}

struct terminal *stdin_relay_open(const struct spec *spec, int in, int *task_end, struct failure *failure) {
  _cleanup_fd_ int input = in;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(failure, STAGE_STDIN, errno, "pipe"), NULL;
  _cleanup_fd_ int read_end = ends[0], write_end = ends[1];
  if (spec->has_credentials && fchown(read_end, spec->uid, spec->gid) != 0) return fail(failure, STAGE_STDIN, errno, "change of owner"), NULL;
  struct terminal *relay = pages_allocate(sizeof *relay);
  if (relay == NULL) return fail(failure, STAGE_STDIN, ENOMEM, "memory"), NULL;
  *relay = (struct terminal){.master = -1};
  set_nonblocking(input);
  set_nonblocking(write_end);
  relay->input.from = input;
  relay->input.to = write_end;
  relay->input.ends = true;
  relay->output.from = relay->output.to = -1;
  *task_end = read_end;
  input = read_end = write_end = -1;
  return relay;
}

void terminal_resize(const struct terminal *terminal, int rows, int columns) {
  const struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  if (terminal != NULL && terminal->master >= 0) ioctl(terminal->master, TIOCSWINSZ, &size);
}

static struct pollfd await(const struct flow *flow) {
  if (flow->used > flow->sent) return (struct pollfd){.fd = flow->to, .events = POLLOUT};
  return (struct pollfd){.fd = flow->from, .events = POLLIN};
}

void terminal_await(const struct terminal *terminal, struct pollfd waiting[TERMINAL_POLLS]) {
  waiting[0] = terminal == NULL ? (struct pollfd){.fd = -1} : await(&terminal->input);
  waiting[1] = terminal == NULL ? (struct pollfd){.fd = -1} : await(&terminal->output);
}

static bool is_passing(int error) { return error == EAGAIN || error == EINTR; }

/*
 * The end of the input is typed, as a person would: VEOF, which in canonical mode ends a line that has begun the first time, and is the end only the second.
 */
static size_t type_end(const struct flow *flow, char bytes[2]) {
  struct termios modes;
  if (!isatty(flow->to) || tcgetattr(flow->to, &modes) != 0) return 0;
  bytes[0] = bytes[1] = (char)modes.c_cc[VEOF];
  return (modes.c_lflag & ICANON) != 0 && flow->in_line ? 2 : 1;
}

static void move(struct flow *flow) {
  if (flow->used == flow->sent) {
    if (flow->from < 0) return;
    ssize_t count = read(flow->from, flow->bytes, sizeof flow->bytes);
    if (count < 0 && is_passing(errno)) return;
    flow->sent = 0;
    flow->used = count > 0 ? (size_t)count : type_end(flow, flow->bytes);
    if (count > 0) flow->in_line = flow->bytes[count - 1] != '\n' && flow->bytes[count - 1] != '\r';
    /* The end; of a terminal that nobody has open, it is EIO. */
    else if (flow->ends) close_fd(&flow->from);
    else flow->from = -1;
  }
  ssize_t count = write(flow->to, flow->bytes + flow->sent, flow->used - flow->sent);
  if (count >= 0) flow->sent += (size_t)count;
  /* Nobody takes it (any more): a task must not hang on that. */
  else if (!is_passing(errno)) {
    flow->sent = flow->used;
    if (flow->ends) close_fd(&flow->from);
  }
  if (flow->ends && flow->from < 0 && flow->sent == flow->used) close_fd(&flow->to);
}

void terminal_move(struct terminal *terminal, const struct pollfd waiting[TERMINAL_POLLS]) {
  if (terminal == NULL) return;
  if (waiting[0].revents != 0) move(&terminal->input);
  if (waiting[1].revents != 0) move(&terminal->output);
}

bool terminal_show(struct terminal *terminal, int wait_ms) {
  if (terminal == NULL) return false;
  struct flow *output = &terminal->output;
  if (output->from < 0 && output->used == output->sent) return false;
  struct pollfd waiting = await(output);
  /* Where the other end is a pipe of our own that is full, nobody but our caller empties it. */
  poll(&waiting, 1, waiting.events == POLLOUT ? 5 : wait_ms);
  if (waiting.revents != 0) move(output);
  return true;
}

void terminal_close(struct terminal *terminal) {
  if (terminal != NULL) close_fd(&terminal->output.to);
}

int terminal_control(const struct spec *spec, struct failure *failure) {
  if (spec->terminal_rows == 0 || ioctl(0, TIOCSCTTY, 0) == 0) return 0;
  return fail(failure, STAGE_FORK, errno, "controlling terminal");
}
