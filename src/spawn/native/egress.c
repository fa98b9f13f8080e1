#include "egress.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "egress_confine.h"
#include "egress_state.h"

static void take_request(struct forwarder *forwarder, struct connection *connection) {
  struct egress_target *target = &connection->target;
  if (target->protocol == EGRESS_FORWARD) {
    char head[BUFFER];
    struct flow *up = &connection->up;
    size_t rest = up->end - target->used,
           length = egress_request_rewrite(up->bytes, target->used, target, head, sizeof head - rest);
    if (length == 0) {
      egress_refuse(forwarder, connection, 431, "the request is too large");
      return;
    }
    memmove(up->bytes + length, up->bytes + target->used, rest);
    memcpy(up->bytes, head, length);
    up->end = length + rest;
  } else connection->up.start = target->used;
  if (target->is_address) {
    connection->addresses = (struct egress_addresses){.list = {target->address}, .count = 1};
    egress_decide(forwarder, connection);
  } else if (egress_allows_name(&forwarder->rules, target->host, target->port))
    egress_look_up(forwarder, connection);
  /* A name that nobody allowed is not looked up either: a question carries it out of here. */
  else egress_deny(forwarder, connection, "not an allowed destination");
}

static void egress_read_request(struct forwarder *forwarder, struct connection *connection) {
  struct flow *up = &connection->up;
  if (!egress_fill(up, connection->client.fd)) {
    egress_end(forwarder, connection);
    return;
  }
  switch (egress_request_parse(
      up->bytes + up->start, up->end - up->start, connection->greeted, &connection->target)) {
    case EGRESS_MORE:
      if (up->ended) egress_end(forwarder, connection);
      return;
    case EGRESS_BAD:
      egress_refuse(forwarder, connection, connection->target.status,
          "not a request that a proxy takes: CONNECT, an absolute http:// URL, or SOCKS5");
      return;
    case EGRESS_GREETED: {
      const unsigned char chosen[] = {5, 0};
      connection->greeted = true;
      up->start += connection->target.used;
      egress_answer(connection, chosen, sizeof chosen);
      if (!egress_drain(&connection->down, connection->client.fd)) egress_end(forwarder, connection);
      else if (up->start < up->end) egress_read_request(forwarder, connection);
      return;
    }
    case EGRESS_READY:
      if (up->start > 0) egress_pack(up);
      take_request(forwarder, connection);
  }
}

/* Rules, or the socket that listens where the task is. */
static void read_channel(struct forwarder *forwarder) {
  _cleanup_free_ char *text = malloc(EGRESS_TEXT_MAX);
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  if (text == NULL) _exit(1);
  struct iovec bytes = {text, EGRESS_TEXT_MAX};
  struct msghdr message = {
      .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t count = recvmsg(forwarder->channel.fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) _exit(0);
  const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header != NULL && header->cmsg_type == SCM_RIGHTS && forwarder->listener.fd < 0) {
    memcpy(&forwarder->listener.fd, CMSG_DATA(header), sizeof(int));
    egress_accept_while_room(forwarder);
  } else if (header == NULL && text[count - 1] == '\0') {
    char *kept = text;
    text = NULL;
    egress_rules_parse(&forwarder->rules, kept);
  }
}

static void handle(struct forwarder *forwarder, struct endpoint *endpoint) {
  struct connection *connection = endpoint->connection;
  if (endpoint->end == END_LISTENER) egress_accept(forwarder);
  else if (endpoint->end == END_CHANNEL) read_channel(forwarder);
  else if (connection->dead) return;
  else if (connection->phase == PHASE_REQUEST) egress_read_request(forwarder, connection);
  else if (connection->phase == PHASE_LOOKUP) egress_read_answers(forwarder, connection);
  else if (connection->phase == PHASE_CONNECT) egress_check_connected(forwarder, connection);
  else if (connection->phase == PHASE_REFUSAL) egress_await_refused(forwarder, connection);
  else egress_relay(forwarder, connection, endpoint);
}

static void check_deadlines(struct forwarder *forwarder) {
  int64_t now = boottime_ms();
  for (struct connection *connection = forwarder->connections; connection != NULL;
      connection = connection->next) {
    if (connection->dead || connection->deadline == 0 || now < connection->deadline) continue;
    if (connection->phase == PHASE_LOOKUP) egress_ask_next(forwarder, connection);
    else if (connection->phase == PHASE_CONNECT) egress_connect_next(forwarder, connection);
    else egress_end(forwarder, connection);
  }
}

static size_t count_connections(void) {
  struct rlimit limit;
  const rlim_t wanted = 3 * EGRESS_CONNECTIONS_MAX + 16;
  if (prlimit(0, RLIMIT_NOFILE, NULL, &limit) != 0) return 64;
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    prlimit(0, RLIMIT_NOFILE, &limit, NULL);
  }
  if (limit.rlim_cur >= wanted) return EGRESS_CONNECTIONS_MAX;
  return limit.rlim_cur > 32 ? (size_t)(limit.rlim_cur - 16) / 3 : 4;
}

_Noreturn void egress_run(int channel, int landlock) {
  struct forwarder forwarder = {
      .epoll = epoll_create1(EPOLL_CLOEXEC),
      .listener = {END_LISTENER, -1, 0, NULL},
      .channel = {END_CHANNEL, channel, 0, NULL},
      .count_max = count_connections(),
  };
  signal(SIGPIPE, SIG_IGN);
  if (forwarder.epoll < 0 || !egress_confine(landlock)) _exit(1);
  egress_set_interest(&forwarder, &forwarder.channel, EPOLLIN);
  for (;;) {
    struct epoll_event events[EVENTS_MAX];
    /* Deadlines are of seconds. */
    int count = epoll_wait(forwarder.epoll, events, EVENTS_MAX, forwarder.count == 0 ? -1 : 500);
    if (count < 0 && errno != EINTR) _exit(1);
    for (int i = 0; i < count; i++) handle(&forwarder, events[i].data.ptr);
    check_deadlines(&forwarder);
    egress_free_dead(&forwarder);
  }
}
