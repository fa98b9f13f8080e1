#include "egress_state.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

void egress_pack(struct flow *flow) {
  memmove(flow->bytes, flow->bytes + flow->start, flow->end - flow->start);
  flow->end -= flow->start;
  flow->start = 0;
}

/* False: the connection is broken. */
bool egress_fill(struct flow *flow, int from) {
  if (flow->start > 0) egress_pack(flow);
  if (flow->ended || egress_room_in(flow) == 0) return true;
  ssize_t count = recv(from, flow->bytes + flow->end, egress_room_in(flow), 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  flow->ended = count == 0;
  flow->end += (size_t)count;
  return true;
}

bool egress_drain(struct flow *flow, int to) {
  while (flow->start < flow->end) {
    ssize_t count = send(to, flow->bytes + flow->start, flow->end - flow->start, MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    flow->start += (size_t)count;
  }
  flow->start = flow->end = 0;
  if (flow->ended && !flow->shut) flow->shut = shutdown(to, SHUT_WR) == 0 || errno == ENOTCONN;
  return true;
}

static uint32_t interest_in(const struct flow *from, const struct flow *to) {
  return (!from->ended && from->end - from->start < sizeof from->bytes ? (uint32_t)EPOLLIN : 0) |
         (to->start < to->end ? (uint32_t)EPOLLOUT : 0);
}

void egress_relay(struct forwarder *forwarder, struct connection *connection, const struct endpoint *ready) {
  struct flow *up = &connection->up, *down = &connection->down;
  int client = connection->client.fd, server = connection->server.fd;
  bool whole = (ready == &connection->client ? egress_fill(up, client) : egress_fill(down, server)) &&
               egress_drain(up, server) && egress_drain(down, client);
  if (!whole || (up->shut && down->shut)) {
    egress_end(forwarder, connection);
    return;
  }
  egress_set_interest(forwarder, &connection->client, interest_in(up, down));
  egress_set_interest(forwarder, &connection->server, interest_in(down, up));
}
