#include "terminal.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
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
  /* Of a FIFO that is never at its end: what is in it now is all there is, and the end is to be told then. */
  bool ending;
  char bytes[4096];
};

struct terminal {
  /* -1: it has not come yet from the task's process, where `console` leads until then, or there is none. */
  int master, console;
  /* Told meanwhile; 0: nothing. */
  int rows, columns;
  /* What is typed from, the one by the request, the other by anybody who may write to it. */
  struct flow input, door;
  struct flow output;
};

static void set_nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

static struct flow flow_between(int from, int to) { return (struct flow){.from = from, .to = to}; }

struct terminal *terminal_open(int in, int door, int out, int console, struct failure *failure) {
  struct terminal *terminal = pages_allocate(sizeof *terminal);
  if (terminal == NULL) {
    close_fd(&in);
    close_fd(&door);
    close_fd(&out);
    close_fd(&console);
    return fail(failure, STAGE_FORK, ENOMEM, "memory"), NULL;
  }
  terminal->master = -1;
  terminal->console = console;
  terminal->input = flow_between(in, -1);
  terminal->door = flow_between(door, -1);
  terminal->output = flow_between(-1, out);
  if (in >= 0) set_nonblocking(in);
  set_nonblocking(out);
  return terminal;
}

struct terminal *stdin_relay_open(
    const struct spec *spec, int in, int door, int *task_end, struct failure *failure) {
  _cleanup_fd_ int input = in >= 0 ? in : door;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(failure, STAGE_STDIN, errno, "pipe"), NULL;
  _cleanup_fd_ int read_end = ends[0], write_end = ends[1];
  if (spec->has_credentials && fchown(read_end, spec->uid, spec->gid) != 0)
    return fail(failure, STAGE_STDIN, errno, "change of owner"), NULL;
  struct terminal *relay = pages_allocate(sizeof *relay);
  if (relay == NULL) return fail(failure, STAGE_STDIN, ENOMEM, "memory"), NULL;
  relay->master = relay->console = -1;
  relay->input = relay->door = relay->output = flow_between(-1, -1);
  set_nonblocking(input);
  set_nonblocking(write_end);
  struct flow *flow = in >= 0 ? &relay->input : &relay->door;
  *flow = flow_between(input, write_end);
  flow->ends = true;
  *task_end = read_end;
  input = read_end = write_end = -1;
  return relay;
}

void terminal_resize(struct terminal *terminal, int rows, int columns) {
  if (terminal == NULL) return;
  const struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  if (terminal->master >= 0) ioctl(terminal->master, TIOCSWINSZ, &size);
  else terminal->rows = rows, terminal->columns = columns;
}

void terminal_end(struct terminal *terminal) {
  if (terminal != NULL && terminal->door.from >= 0) terminal->door.ending = true;
}

static bool is_passing(int error) { return error == EAGAIN || error == EINTR; }

static int descriptor_in(struct msghdr *message) {
  int fd = -1;
  struct cmsghdr *header = CMSG_FIRSTHDR(message);
  if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(sizeof fd))
    return -1;
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

union rights {
  char bytes[CMSG_SPACE(sizeof(int))];
  struct cmsghdr alignment;
};

/* The task's process has made it before its exec, or has ended without. */
static void take_master(struct terminal *terminal) {
  char byte;
  union rights rights;
  struct iovec part = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = rights.bytes, .msg_controllen = sizeof rights.bytes};
  ssize_t count = recvmsg(terminal->console, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (count < 0 && is_passing(errno)) return;
  close_fd(&terminal->console);
  if (count <= 0 || (terminal->master = descriptor_in(&message)) < 0) return;
  set_nonblocking(terminal->master);
  terminal->input.to = terminal->door.to = terminal->output.from = terminal->master;
  if (terminal->rows > 0) terminal_resize(terminal, terminal->rows, terminal->columns);
}

static struct pollfd await(const struct flow *flow) {
  if (flow->to < 0) return (struct pollfd){.fd = -1};
  if (flow->used > flow->sent || flow->ending) return (struct pollfd){.fd = flow->to, .events = POLLOUT};
  return (struct pollfd){.fd = flow->from, .events = POLLIN};
}

void terminal_await(const struct terminal *terminal, struct pollfd waiting[TERMINAL_POLLS]) {
  for (int i = 0; i < TERMINAL_POLLS; i++) waiting[i] = (struct pollfd){.fd = -1};
  if (terminal == NULL) return;
  waiting[0] = await(&terminal->input);
  waiting[1] = await(&terminal->door);
  waiting[2] = await(&terminal->output);
  waiting[3] = (struct pollfd){.fd = terminal->console, .events = POLLIN};
}

/*
 * The end of the input is typed, as a person would: VEOF, which in canonical mode ends a line that has begun
 * the first time, and is the end only the second.
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
    if (count < 0 && is_passing(errno) && !flow->ending) return;
    const bool stays = flow->ending && !flow->ends;
    if (count <= 0) flow->ending = false;
    flow->sent = 0;
    flow->used = count > 0 ? (size_t)count : type_end(flow, flow->bytes);
    if (count > 0) flow->in_line = flow->bytes[count - 1] != '\n' && flow->bytes[count - 1] != '\r';
    /* The end; of a terminal that nobody has open, it is EIO. */
    else if (flow->ends) close_fd(&flow->from);
    else if (!stays) flow->from = -1;
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
  if (waiting[1].revents != 0) move(&terminal->door);
  if (waiting[2].revents != 0) move(&terminal->output);
  if (waiting[3].revents != 0) take_master(terminal);
}

bool terminal_show(struct terminal *terminal, int wait_ms) {
  if (terminal == NULL) return false;
  struct flow *output = &terminal->output;
  if (terminal->console >= 0) take_master(terminal);
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

/* Whatever is there by that name in a root that is the task's: only the kernel's own multiplexer of terminals
 * is taken. */
static int open_multiplexer(const char *path, int flags) {
  struct stat status;
  _cleanup_fd_ int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | flags);
  if (fd < 0) return -1;
  if (fstat(fd, &status) != 0 || !S_ISCHR(status.st_mode) || status.st_rdev != makedev(5, 2))
    return errno = ENODEV, -1;
  int kept = fd;
  fd = -1;
  return kept;
}

static bool send_master(int console, int master) {
  union rights rights = {.bytes = {0}};
  char byte = 0;
  struct iovec part = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = rights.bytes, .msg_controllen = sizeof rights.bytes};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  *header = (struct cmsghdr){
      .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof master)};
  memcpy(CMSG_DATA(header), &master, sizeof master);
  return sendmsg(console, &message, MSG_NOSIGNAL) == 1;
}

int terminal_enter(const struct spec *spec, int console, struct failure *failure) {
  if (spec->terminal_rows == 0) return 0;
  /* The instance that is mounted there, which is the task's own where it has one; elsewhere that name may be
   * for nobody to open (ptmxmode=000). */
  _cleanup_fd_ int first = open_multiplexer("/dev/pts/ptmx", O_NOFOLLOW);
  _cleanup_fd_ int second = first >= 0 ? -1 : open_multiplexer("/dev/ptmx", 0);
  const int master = first >= 0 ? first : second;
  int unlocked = 0;
  if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) != 0)
    return fail(failure, STAGE_FORK, errno, "/dev/ptmx");
  const struct winsize size = {
      .ws_row = (unsigned short)spec->terminal_rows, .ws_col = (unsigned short)spec->terminal_columns};
  ioctl(master, TIOCSWINSZ, &size);
  /* By the descriptor: the name in /dev/pts may be another mount's. */
  _cleanup_fd_ int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (peer < 0 || (spec->has_credentials && fchown(peer, spec->uid, spec->gid) != 0) ||
      fchmod(peer, 0620) != 0)
    return fail(failure, STAGE_FORK, errno, "pseudo-terminal");
  if (dup2(peer, 0) < 0 || dup2(peer, 1) < 0 || dup2(peer, 2) < 0)
    return fail(failure, STAGE_EXEC, errno, "descriptors");
  bool sent = send_master(console, master);
  int error = errno;
  /* Nothing of the shim's may be left where the task can see us. */
  close(console);
  return sent ? 0 : fail(failure, STAGE_FORK, error, "pseudo-terminal");
}

int terminal_control(const struct spec *spec, struct failure *failure) {
  if (spec->terminal_rows == 0 || ioctl(0, TIOCSCTTY, 0) == 0) return 0;
  return fail(failure, STAGE_FORK, errno, "controlling terminal");
}
