#include "egress_state.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 64 << 10 };

/* NUL at its end; NULL when it cannot be read. A file of the host's: what is beyond the bound is not looked
 * at. */
static char *read_text(const char *path) {
  _cleanup_fd_ int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  char *text = fd < 0 ? NULL : malloc(FILE_MAX_BYTES);
  if (text == NULL) return NULL;
  size_t used = 0;
  for (ssize_t count;
      used < FILE_MAX_BYTES - 1 && (count = read(fd, text + used, FILE_MAX_BYTES - 1 - used)) > 0;)
    used += (size_t)count;
  text[used] = '\0';
  return text;
}

static const uint16_t types[2] = {DNS_A, DNS_AAAA};

/* False: nobody listens there, which the first question has brought to light for the second. */
static bool ask(const struct lookup *lookup, int fd, const char *host) {
  for (int i = 0; i < 2; i++) {
    unsigned char question[DNS_MESSAGE_MAX];
    size_t length = dns_question(question, lookup->ids[i], host, types[i]);
    if (!lookup->answered[i] && send(fd, question, length, MSG_NOSIGNAL) < 0) return false;
  }
  return true;
}

void egress_ask_next(struct forwarder *forwarder, struct connection *connection) {
  struct lookup *lookup = &connection->lookup;
  egress_close_endpoint(forwarder, &connection->lookup_end);
  while (lookup->asked < lookup->servers.count * LOOKUP_ROUNDS) {
    _cleanup_fd_ int fd =
        egress_socket_to(&lookup->servers.list[lookup->asked++ % lookup->servers.count], 53, SOCK_DGRAM);
    if (getrandom(lookup->ids, sizeof lookup->ids, 0) != (ssize_t)sizeof lookup->ids) _exit(1);
    if (fd < 0 || !ask(lookup, fd, connection->target.host)) continue;
    connection->lookup_end.fd = fd;
    fd = -1;
    connection->phase = PHASE_LOOKUP;
    connection->deadline = boottime_ms() + LOOKUP_MAX_MS;
    egress_set_interest(forwarder, &connection->client, 0);
    egress_set_interest(forwarder, &connection->lookup_end, EPOLLIN);
    return;
  }
  egress_decide(forwarder, connection);
}

void egress_read_answers(struct forwarder *forwarder, struct connection *connection) {
  struct lookup *lookup = &connection->lookup;
  unsigned char message[DNS_MESSAGE_MAX];
  ssize_t length;
  while ((length = recv(connection->lookup_end.fd, message, sizeof message, 0)) >= 0)
    for (int i = 0; i < 2; i++)
      if (!lookup->answered[i])
        lookup->answered[i] = dns_answer(message, (size_t)length, lookup->ids[i], connection->target.host,
            types[i], &connection->addresses);
  if (lookup->answered[0] && lookup->answered[1]) {
    egress_close_endpoint(forwarder, &connection->lookup_end);
    egress_decide(forwarder, connection);
  } else if (errno != EAGAIN && errno != EINTR) egress_ask_next(forwarder, connection);
}

void egress_look_up(struct forwarder *forwarder, struct connection *connection) {
  _cleanup_free_ char *hosts = read_text("/etc/hosts");
  if (hosts != NULL) hosts_find(hosts, connection->target.host, &connection->addresses);
  if (connection->addresses.count > 0) {
    egress_decide(forwarder, connection);
    return;
  }
  char none[] = "";
  _cleanup_free_ char *servers = read_text("/etc/resolv.conf");
  resolv_servers(servers == NULL ? none : servers, &connection->lookup.servers);
  egress_ask_next(forwarder, connection);
}
