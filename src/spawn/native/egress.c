#include "egress.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "egress_channel.h"
#include "egress_confine.h"
#include "egress_dns.h"
#include "egress_request.h"
#include "system.h"

enum { BUFFER = 16 << 10, EVENTS_MAX = 64, FILE_MAX_BYTES = 64 << 10 };
enum { REQUEST_MAX_MS = 30000, CONNECT_MAX_MS = 10000, LOOKUP_MAX_MS = 2000, LOOKUP_ROUNDS = 2, REFUSAL_MAX_MS = 2000 };

/* What an event of epoll is of. The task's listening socket and the shim's channel have no connection. */
enum end { END_LISTENER, END_CHANNEL, END_CLIENT, END_SERVER, END_LOOKUP };
struct endpoint {
  enum end end;
  int fd;
  uint32_t interest;
  struct connection *connection;
};

/* One direction: what was read at one end and is not yet written to the other. `ended`: no more comes; `shut`: the other end knows. */
struct flow {
  size_t start, end;
  bool ended, shut;
  char bytes[BUFFER];
};

enum phase { PHASE_REQUEST, PHASE_LOOKUP, PHASE_CONNECT, PHASE_RELAY, PHASE_REFUSAL };

struct lookup {
  struct dns_servers servers;
  unsigned asked;
  uint16_t ids[2];
  bool answered[2];
};

struct connection {
  struct connection *next, *previous;
  struct endpoint client, server, lookup_end;
  enum phase phase;
  bool greeted, dead;
  int64_t deadline;
  struct egress_target target;
  struct lookup lookup;
  struct egress_addresses addresses;
  size_t tried;
  struct flow up, down;
};

struct forwarder {
  int epoll;
  struct endpoint listener, channel;
  struct egress_rules rules;
  struct connection *connections;
  size_t count, count_max;
};

/* -------- epoll -------- */

static void set_interest(struct forwarder *forwarder, struct endpoint *endpoint, uint32_t interest) {
  if (endpoint->fd < 0 || endpoint->interest == interest) return;
  struct epoll_event event = {.events = interest, .data.ptr = endpoint};
  /* One without interest would still report hang-ups, again and again. */
  int operation = interest == 0 ? EPOLL_CTL_DEL : endpoint->interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (epoll_ctl(forwarder->epoll, operation, endpoint->fd, &event) == 0) endpoint->interest = interest;
}

static void close_endpoint(struct forwarder *forwarder, struct endpoint *endpoint) {
  set_interest(forwarder, endpoint, 0);
  close_fd(&endpoint->fd);
  endpoint->interest = 0;
}

/* -------- connections -------- */

static void accept_while_room(struct forwarder *forwarder) {
  set_interest(forwarder, &forwarder->listener, forwarder->count < forwarder->count_max ? EPOLLIN : 0);
}

/* Freed after the events at hand, which may name it. */
static void end_connection(struct forwarder *forwarder, struct connection *connection) {
  if (connection->dead) return;
  connection->dead = true;
  close_endpoint(forwarder, &connection->client);
  close_endpoint(forwarder, &connection->server);
  close_endpoint(forwarder, &connection->lookup_end);
}

static void free_dead(struct forwarder *forwarder) {
  for (struct connection *next, *connection = forwarder->connections; connection != NULL; connection = next) {
    next = connection->next;
    if (!connection->dead) continue;
    if (next != NULL) next->previous = connection->previous;
    if (connection->previous != NULL) connection->previous->next = next;
    else forwarder->connections = next;
    free(connection);
    forwarder->count--;
  }
  accept_while_room(forwarder);
}

static void accept_connection(struct forwarder *forwarder) {
  int fd = accept4(forwarder->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  struct connection *connection = calloc(1, sizeof *connection);
  if (connection == NULL) {
    close(fd);
    return;
  }
  connection->client = (struct endpoint){END_CLIENT, fd, 0, connection};
  connection->server = (struct endpoint){END_SERVER, -1, 0, connection};
  connection->lookup_end = (struct endpoint){END_LOOKUP, -1, 0, connection};
  connection->deadline = boottime_ms() + REQUEST_MAX_MS;
  connection->next = forwarder->connections;
  if (connection->next != NULL) connection->next->previous = connection;
  forwarder->connections = connection;
  forwarder->count++;
  set_interest(forwarder, &connection->client, EPOLLIN);
  accept_while_room(forwarder);
}

/* -------- relaying -------- */

static size_t room_in(const struct flow *flow) { return sizeof flow->bytes - flow->end; }

static void pack(struct flow *flow) {
  memmove(flow->bytes, flow->bytes + flow->start, flow->end - flow->start);
  flow->end -= flow->start;
  flow->start = 0;
}

/* False: the connection is broken. */
static bool fill(struct flow *flow, int from) {
  if (flow->start > 0) pack(flow);
  if (flow->ended || room_in(flow) == 0) return true;
  ssize_t count = recv(from, flow->bytes + flow->end, room_in(flow), 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  flow->ended = count == 0;
  flow->end += (size_t)count;
  return true;
}

static bool drain(struct flow *flow, int to) {
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
  return (!from->ended && from->end - from->start < sizeof from->bytes ? (uint32_t)EPOLLIN : 0) | (to->start < to->end ? (uint32_t)EPOLLOUT : 0);
}

static void relay(struct forwarder *forwarder, struct connection *connection, const struct endpoint *ready) {
  struct flow *up = &connection->up, *down = &connection->down;
  int client = connection->client.fd, server = connection->server.fd;
  bool whole = (ready == &connection->client ? fill(up, client) : fill(down, server)) && drain(up, server) && drain(down, client);
  if (!whole || (up->shut && down->shut)) {
    end_connection(forwarder, connection);
    return;
  }
  set_interest(forwarder, &connection->client, interest_in(up, down));
  set_interest(forwarder, &connection->server, interest_in(down, up));
}

/* -------- answers of our own -------- */

static const char *words_for(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 431: return "Request Header Fields Too Large";
    case 502: return "Bad Gateway";
    default: return "Gateway Timeout";
  }
}

static int socks_code(int status) { return status == 403 ? 2 : status == 502 ? 4 : status == 504 ? 6 : status < 100 ? status : 1; }

static void answer(struct connection *connection, const void *bytes, size_t count) {
  struct flow *down = &connection->down;
  if (room_in(down) < count) return;
  memcpy(down->bytes + down->end, bytes, count);
  down->end += count;
}

static void answer_socks(struct connection *connection, int code) {
  const unsigned char reply[] = {5, (unsigned char)code, 0, 1, 0, 0, 0, 0, 0, 0};
  answer(connection, reply, sizeof reply);
}

static void answer_http(struct connection *connection, int status, const char *reason) {
  char text[512], body[256];
  int length = snprintf(body, sizeof body, "holdfast: %.*s%s%s\n", EGRESS_NAME_MAX - 150, connection->target.host, connection->target.host[0] == '\0' ? "" : ": ", reason);
  if (length < 0 || length >= (int)sizeof body) length = (int)strlen(body);
  length = snprintf(text, sizeof text, "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, words_for(status), length, body);
  if (length > 0 && length < (int)sizeof text) answer(connection, text, (size_t)length);
}

/* The client is told why, and has a moment to read it: what it has still sent would otherwise reset the connection. */
static void refuse(struct forwarder *forwarder, struct connection *connection, int status, const char *reason) {
  close_endpoint(forwarder, &connection->server);
  close_endpoint(forwarder, &connection->lookup_end);
  if (connection->target.protocol == EGRESS_SOCKS) {
    const unsigned char none[] = {5, 0xff};
    if (connection->greeted) answer_socks(connection, socks_code(status));
    else answer(connection, none, sizeof none);
  } else answer_http(connection, status, reason);
  connection->phase = PHASE_REFUSAL;
  connection->deadline = boottime_ms() + REFUSAL_MAX_MS;
  connection->down.ended = true;
  connection->up = (struct flow){0};
  if (!drain(&connection->down, connection->client.fd)) end_connection(forwarder, connection);
  else set_interest(forwarder, &connection->client, EPOLLIN | (connection->down.shut ? 0 : (uint32_t)EPOLLOUT));
}

static void await_refused(struct forwarder *forwarder, struct connection *connection) {
  connection->up.start = connection->up.end = 0;
  bool whole = fill(&connection->up, connection->client.fd) && drain(&connection->down, connection->client.fd);
  if (!whole || (connection->up.ended && connection->down.shut)) end_connection(forwarder, connection);
  else set_interest(forwarder, &connection->client, EPOLLIN | (connection->down.shut ? 0 : (uint32_t)EPOLLOUT));
}

/* -------- decisions -------- */

/* The shim writes it down; while it does not, nothing is decided. */
static void report(struct forwarder *forwarder, const struct connection *connection, bool allowed) {
  struct egress_decision decision = {.at_ms = realtime_ms(), .port = connection->target.port, .allowed = allowed};
  memcpy(decision.host, connection->target.host, sizeof decision.host);
  while (send(forwarder->channel.fd, &decision, sizeof decision, MSG_NOSIGNAL) < 0)
    if (errno != EINTR) _exit(1);
}

static void deny(struct forwarder *forwarder, struct connection *connection, const char *reason) {
  report(forwarder, connection, false);
  refuse(forwarder, connection, 403, reason);
}

/* -------- connecting -------- */

static void connected(struct forwarder *forwarder, struct connection *connection) {
  static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
  connection->phase = PHASE_RELAY;
  connection->deadline = 0;
  if (connection->target.protocol == EGRESS_CONNECT) answer(connection, established, sizeof established - 1);
  else if (connection->target.protocol == EGRESS_SOCKS) answer_socks(connection, 0);
  relay(forwarder, connection, &connection->client);
}

static int socket_to(const struct egress_address *address, uint16_t port, int type) {
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

static void connect_next(struct forwarder *forwarder, struct connection *connection) {
  close_endpoint(forwarder, &connection->server);
  while (connection->tried < connection->addresses.count) {
    connection->server.fd = socket_to(&connection->addresses.list[connection->tried++], connection->target.port, SOCK_STREAM);
    if (connection->server.fd < 0) continue;
    connection->phase = PHASE_CONNECT;
    connection->deadline = boottime_ms() + CONNECT_MAX_MS;
    set_interest(forwarder, &connection->client, 0);
    set_interest(forwarder, &connection->server, EPOLLOUT);
    return;
  }
  refuse(forwarder, connection, 502, "cannot be connected to");
}

static void check_connected(struct forwarder *forwarder, struct connection *connection) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(connection->server.fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0) connected(forwarder, connection);
  else connect_next(forwarder, connection);
}

/* The addresses of an allowed name, or the one that was asked for: those of them that may be reached. */
static void decide(struct forwarder *forwarder, struct connection *connection) {
  struct egress_addresses *addresses = &connection->addresses;
  const size_t found = addresses->count;
  addresses->count = 0;
  for (size_t i = 0; i < found; i++) {
    const struct egress_address address = addresses->list[i];
    bool is_named = !connection->target.is_address && egress_is_public(&address);
    if (is_named || egress_allows_address(&forwarder->rules, &address, connection->target.port)) addresses->list[addresses->count++] = address;
  }
  if (found == 0) {
    report(forwarder, connection, true);
    refuse(forwarder, connection, 502, "no address is known for it");
  } else if (addresses->count == 0) {
    deny(forwarder, connection, connection->target.is_address ? "not an allowed destination" : "its addresses are private, and not allowed by address");
  } else {
    report(forwarder, connection, true);
    connect_next(forwarder, connection);
  }
}

/* -------- names -------- */

/* NUL at its end; NULL when it cannot be read. A file of the host's: what is beyond the bound is not looked at. */
static char *read_text(const char *path) {
  _cleanup_fd_ int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  char *text = fd < 0 ? NULL : malloc(FILE_MAX_BYTES);
  if (text == NULL) return NULL;
  size_t used = 0;
  for (ssize_t count; used < FILE_MAX_BYTES - 1 && (count = read(fd, text + used, FILE_MAX_BYTES - 1 - used)) > 0;) used += (size_t)count;
  text[used] = '\0';
  return text;
}

static const uint16_t types[2] = {DNS_A, DNS_AAAA};

/* The next server, or the first again; a socket for each question, so that an answer can only come from whom was asked. */
static void ask_next(struct forwarder *forwarder, struct connection *connection) {
  struct lookup *lookup = &connection->lookup;
  close_endpoint(forwarder, &connection->lookup_end);
  while (lookup->asked < lookup->servers.count * LOOKUP_ROUNDS) {
    int fd = socket_to(&lookup->servers.list[lookup->asked++ % lookup->servers.count], 53, SOCK_DGRAM);
    if (fd < 0) continue;
    connection->lookup_end.fd = fd;
    if (getrandom(lookup->ids, sizeof lookup->ids, 0) != (ssize_t)sizeof lookup->ids) _exit(1);
    for (int i = 0; i < 2; i++) {
      unsigned char question[DNS_MESSAGE_MAX];
      size_t length = dns_question(question, lookup->ids[i], connection->target.host, types[i]);
      if (!lookup->answered[i]) send(fd, question, length, MSG_NOSIGNAL);
    }
    connection->phase = PHASE_LOOKUP;
    connection->deadline = boottime_ms() + LOOKUP_MAX_MS;
    set_interest(forwarder, &connection->client, 0);
    set_interest(forwarder, &connection->lookup_end, EPOLLIN);
    return;
  }
  decide(forwarder, connection);
}

static void read_answers(struct forwarder *forwarder, struct connection *connection) {
  struct lookup *lookup = &connection->lookup;
  unsigned char message[DNS_MESSAGE_MAX];
  ssize_t length;
  while ((length = recv(connection->lookup_end.fd, message, sizeof message, 0)) >= 0)
    for (int i = 0; i < 2; i++)
      if (!lookup->answered[i])
        lookup->answered[i] = dns_answer(message, (size_t)length, lookup->ids[i], connection->target.host, types[i], &connection->addresses);
  if (lookup->answered[0] && lookup->answered[1]) {
    close_endpoint(forwarder, &connection->lookup_end);
    decide(forwarder, connection);
  } else if (errno != EAGAIN && errno != EINTR) ask_next(forwarder, connection);
}

static void look_up(struct forwarder *forwarder, struct connection *connection) {
  _cleanup_free_ char *hosts = read_text("/etc/hosts");
  if (hosts != NULL) hosts_find(hosts, connection->target.host, &connection->addresses);
  if (connection->addresses.count > 0) {
    decide(forwarder, connection);
    return;
  }
  char none[] = "";
  _cleanup_free_ char *servers = read_text("/etc/resolv.conf");
  resolv_servers(servers == NULL ? none : servers, &connection->lookup.servers);
  ask_next(forwarder, connection);
}

/* -------- requests -------- */

static void take_request(struct forwarder *forwarder, struct connection *connection) {
  struct egress_target *target = &connection->target;
  if (target->protocol == EGRESS_FORWARD) {
    char head[BUFFER];
    struct flow *up = &connection->up;
    size_t rest = up->end - target->used, length = egress_request_rewrite(up->bytes, target->used, target, head, sizeof head - rest);
    if (length == 0) {
      refuse(forwarder, connection, 431, "the request is too large");
      return;
    }
    memmove(up->bytes + length, up->bytes + target->used, rest);
    memcpy(up->bytes, head, length);
    up->end = length + rest;
  } else connection->up.start = target->used;
  if (target->is_address) {
    connection->addresses = (struct egress_addresses){.list = {target->address}, .count = 1};
    decide(forwarder, connection);
  } else if (egress_allows_name(&forwarder->rules, target->host, target->port)) look_up(forwarder, connection);
  /* A name that nobody allowed is not looked up either: a question carries it out of here. */
  else deny(forwarder, connection, "not an allowed destination");
}

static void read_request(struct forwarder *forwarder, struct connection *connection) {
  struct flow *up = &connection->up;
  if (!fill(up, connection->client.fd)) {
    end_connection(forwarder, connection);
    return;
  }
  switch (egress_request_parse(up->bytes + up->start, up->end - up->start, connection->greeted, &connection->target)) {
    case EGRESS_MORE:
      if (up->ended) end_connection(forwarder, connection);
      return;
    case EGRESS_BAD: refuse(forwarder, connection, connection->target.status, "not a request that a proxy takes: CONNECT, an absolute http:// URL, or SOCKS5"); return;
    case EGRESS_GREETED: {
      const unsigned char chosen[] = {5, 0};
      connection->greeted = true;
      up->start += connection->target.used;
      answer(connection, chosen, sizeof chosen);
      if (!drain(&connection->down, connection->client.fd)) end_connection(forwarder, connection);
      else if (up->start < up->end) read_request(forwarder, connection);
      return;
    }
    case EGRESS_READY:
      if (up->start > 0) pack(up);
      take_request(forwarder, connection);
  }
}

/* -------- the loop -------- */

/* Rules, or the socket that listens where the task is. */
static void read_channel(struct forwarder *forwarder) {
  _cleanup_free_ char *text = malloc(EGRESS_TEXT_MAX);
  union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
  if (text == NULL) _exit(1);
  struct iovec bytes = {text, EGRESS_TEXT_MAX};
  struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t count = recvmsg(forwarder->channel.fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) _exit(0);
  const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header != NULL && header->cmsg_type == SCM_RIGHTS && forwarder->listener.fd < 0) {
    memcpy(&forwarder->listener.fd, CMSG_DATA(header), sizeof(int));
    accept_while_room(forwarder);
  } else if (header == NULL && text[count - 1] == '\0') {
    char *kept = text;
    text = NULL;
    egress_rules_parse(&forwarder->rules, kept);
  }
}

static void handle(struct forwarder *forwarder, struct endpoint *endpoint) {
  struct connection *connection = endpoint->connection;
  if (endpoint->end == END_LISTENER) accept_connection(forwarder);
  else if (endpoint->end == END_CHANNEL) read_channel(forwarder);
  else if (connection->dead) return;
  else if (connection->phase == PHASE_REQUEST) read_request(forwarder, connection);
  else if (connection->phase == PHASE_LOOKUP) read_answers(forwarder, connection);
  else if (connection->phase == PHASE_CONNECT) check_connected(forwarder, connection);
  else if (connection->phase == PHASE_REFUSAL) await_refused(forwarder, connection);
  else relay(forwarder, connection, endpoint);
}

static void check_deadlines(struct forwarder *forwarder) {
  int64_t now = boottime_ms();
  for (struct connection *connection = forwarder->connections; connection != NULL; connection = connection->next) {
    if (connection->dead || connection->deadline == 0 || now < connection->deadline) continue;
    if (connection->phase == PHASE_LOOKUP) ask_next(forwarder, connection);
    else if (connection->phase == PHASE_CONNECT) connect_next(forwarder, connection);
    else end_connection(forwarder, connection);
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
    .epoll = epoll_create1(EPOLL_CLOEXEC), .listener = {END_LISTENER, -1, 0, NULL}, .channel = {END_CHANNEL, channel, 0, NULL},
    .count_max = count_connections(),
  };
  signal(SIGPIPE, SIG_IGN);
  if (forwarder.epoll < 0 || !egress_confine(landlock)) _exit(1);
  set_interest(&forwarder, &forwarder.channel, EPOLLIN);
  for (;;) {
    struct epoll_event events[EVENTS_MAX];
    /* Deadlines are of seconds. */
    int count = epoll_wait(forwarder.epoll, events, EVENTS_MAX, forwarder.count == 0 ? -1 : 500);
    if (count < 0 && errno != EINTR) _exit(1);
    for (int i = 0; i < count; i++) handle(&forwarder, events[i].data.ptr);
    check_deadlines(&forwarder);
    free_dead(&forwarder);
  }
}
