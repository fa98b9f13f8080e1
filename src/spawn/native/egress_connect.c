#include "egress_state.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The shim writes it down; while it does not, nothing is decided. */
static void report(struct forwarder *forwarder, const struct connection *connection, bool allowed) {
  struct egress_decision decision = {
      .at_ms = realtime_ms(), .port = connection->target.port, .allowed = allowed};
  memcpy(decision.host, connection->target.host, sizeof decision.host);
  while (send(forwarder->channel.fd, &decision, sizeof decision, MSG_NOSIGNAL) < 0)
    if (errno != EINTR) _exit(1);
}

void egress_deny(struct forwarder *forwarder, struct connection *connection, const char *reason) {
  report(forwarder, connection, false);
  egress_refuse(forwarder, connection, 403, reason);
}

static void connected(struct forwarder *forwarder, struct connection *connection) {
  static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
  connection->phase = PHASE_RELAY;
  connection->deadline = 0;
  if (connection->target.protocol == EGRESS_CONNECT)
    egress_answer(connection, established, sizeof established - 1);
  else if (connection->target.protocol == EGRESS_SOCKS) egress_answer_socks(connection, 0);
  egress_relay(forwarder, connection, &connection->client);
}

int egress_socket_to(const struct egress_address *address, uint16_t port, int type) {
  struct sockaddr_storage to;
  socklen_t length = egress_socket_address(address, port, &to);
  _cleanup_fd_ int fd = socket(to.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (fd < 0) return -1;
  if (type == SOCK_STREAM) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd, (struct sockaddr *)&to, length) != 0 && errno != EINPROGRESS) return -1;
  int kept = fd;
  fd = -1;
  return kept;
}

void egress_connect_next(struct forwarder *forwarder, struct connection *connection) {
  egress_close_endpoint(forwarder, &connection->server);
  while (connection->tried < connection->addresses.count) {
    connection->server.fd = egress_socket_to(
        &connection->addresses.list[connection->tried++], connection->target.port, SOCK_STREAM);
    if (connection->server.fd < 0) continue;
    connection->phase = PHASE_CONNECT;
    connection->deadline = boottime_ms() + CONNECT_MAX_MS;
    egress_set_interest(forwarder, &connection->client, 0);
    egress_set_interest(forwarder, &connection->server, EPOLLOUT);
    return;
  }
  egress_refuse(forwarder, connection, 502, "cannot be connected to");
}

void egress_check_connected(struct forwarder *forwarder, struct connection *connection) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(connection->server.fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0)
    connected(forwarder, connection);
  else egress_connect_next(forwarder, connection);
}

/* The addresses of an allowed name, or the one that was asked for: those of them that may be reached. */
void egress_decide(struct forwarder *forwarder, struct connection *connection) {
  struct egress_addresses *addresses = &connection->addresses;
  const size_t found = addresses->count;
  addresses->count = 0;
  for (size_t i = 0; i < found; i++) {
    const struct egress_address address = addresses->list[i];
    bool is_named = !connection->target.is_address && egress_is_public(&address);
    if (is_named || egress_allows_address(&forwarder->rules, &address, connection->target.port))
      addresses->list[addresses->count++] = address;
  }
  if (found == 0) {
    report(forwarder, connection, true);
    egress_refuse(forwarder, connection, 502, "no address is known for it");
  } else if (addresses->count == 0) {
    egress_deny(forwarder, connection,
        connection->target.is_address ? "not an allowed destination"
                                      : "its addresses are private, and not allowed by address");
  } else {
    report(forwarder, connection, true);
    egress_connect_next(forwarder, connection);
  }
}
