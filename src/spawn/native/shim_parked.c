#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "shim_state.h"

/* The pipe for replies, and the prepared root where the task has one: in this order, and in one message. */
static bool take_descriptors(struct msghdr *message, int given[2]) {
  struct cmsghdr *header = CMSG_FIRSTHDR(message);
  if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return false;
  const size_t size = header->cmsg_len - CMSG_LEN(0);
  if (size > 2 * sizeof(int)) return false;
  memcpy(given, CMSG_DATA(header), size);
  return size >= sizeof(int) && (message->msg_flags & (MSG_CTRUNC | MSG_TRUNC)) == 0;
}

static OWN_FRAME bool take_request(
    struct shim *shim, int socket, struct spec *spec, struct request *request) {
  const ssize_t size = recv(socket, NULL, 0, MSG_PEEK | MSG_TRUNC);
  /* The other end is gone. */
  if (size <= 0) return false;
  *request = (struct request){.frame = pages_allocate((size_t)size), .frame_size = (size_t)size};
  if (request->frame == NULL) return false;
  pages_keep_from_dumps(request->frame, request->frame_size);
  int given[2] = {-1, -1};
  union {
    char bytes[CMSG_SPACE(sizeof given)];
    struct cmsghdr header;
  } control;
  struct iovec frame = {.iov_base = request->frame, .iov_len = request->frame_size};
  struct msghdr message = {.msg_iov = &frame,
      .msg_iovlen = 1,
      .msg_control = control.bytes,
      .msg_controllen = sizeof control.bytes};
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != size || !take_descriptors(&message, given)) return false;
  close(socket);
  shim->reply = given[0];
  const char *wrong = spec_parse(request, spec);
  spec->prepared_root = given[1];
  shim->id = spec->id;
  shim->spec = spec;
  shim->request = request;
  /* The spawner has parsed the same bytes. */
  return wrong == NULL;
}

bool shim_await_request(struct shim *shim, int socket, struct spec *spec, struct request *request) {
  for (bool waits = false;;) {
    struct pollfd waiting[] = {{.fd = socket, .events = POLLIN}, {.fd = shim->signals, .events = POLLIN},
        {.fd = shim->death_pipe, .events = waits ? 0 : POLLIN}};
    if (poll(waiting, 3, -1) < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    /* A request that is here is served, whatever else has happened. */
    if (waiting[0].revents != 0) break;
    /* PID 1 has gone, or somebody wants us to. */
    if (waiting[1].revents != 0 || (waiting[2].revents & ~POLLIN) != 0) return false;
    if (waits) continue;
    /* PID 1 has answered: its byte stays where a start looks for it. */
    waits = true;
    stack_trim();
    *shim->word = SHIM_PARKED;
    prctl(PR_SET_NAME, PARKED_NAME, 0, 0, 0);
  }
  if (!take_request(shim, socket, spec, request)) return false;
  prctl(PR_SET_NAME, SHIM_NAME, 0, 0, 0);
  return true;
}
