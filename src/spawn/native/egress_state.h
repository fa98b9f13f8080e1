/* What the chapters of the forwarder share. egress.c has the loop. */
#pragma once
#include <sys/epoll.h>
#include "egress_channel.h"
#include "egress_dns.h"
#include "egress_request.h"

enum { BUFFER = 16 << 10, EVENTS_MAX = 64 };
enum {
  REQUEST_MAX_MS = 30000,
  CONNECT_MAX_MS = 10000,
  LOOKUP_MAX_MS = 2000,
  LOOKUP_ROUNDS = 2,
  REFUSAL_MAX_MS = 2000
};

/* What an event of epoll is of. The task's listening socket and the shim's channel have no connection. */
enum end { END_LISTENER, END_CHANNEL, END_CLIENT, END_SERVER, END_LOOKUP };
struct endpoint {
  enum end end;
  int fd;
  uint32_t interest;
  struct connection *connection;
};

/* One direction: what was read at one end and is not yet written to the other. `ended`: no more comes;
 * `shut`: the other end knows. */
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

/* egress_connection.c: what is waited for, and the life of a connection. One without interest is not waited
 * for at all. */
void egress_set_interest(struct forwarder *forwarder, struct endpoint *endpoint, uint32_t interest);
void egress_close_endpoint(struct forwarder *forwarder, struct endpoint *endpoint);
void egress_accept(struct forwarder *forwarder);
void egress_accept_while_room(struct forwarder *forwarder);
/* Freed by egress_free_dead, after the events at hand, which may name it. */
void egress_end(struct forwarder *forwarder, struct connection *connection);
void egress_free_dead(struct forwarder *forwarder);

/* egress_relay.c: bytes from one end to the other. False: the connection is broken. */
static inline size_t egress_room_in(const struct flow *flow) { return sizeof flow->bytes - flow->end; }
bool egress_fill(struct flow *flow, int from);
bool egress_drain(struct flow *flow, int to);
void egress_pack(struct flow *flow);
void egress_relay(struct forwarder *forwarder, struct connection *connection, const struct endpoint *ready);

/* egress_answer.c: what the forwarder says itself. The client has a moment to read a refusal. */
void egress_answer(struct connection *connection, const void *bytes, size_t count);
void egress_answer_socks(struct connection *connection, int code);
void egress_refuse(
    struct forwarder *forwarder, struct connection *connection, int status, const char *reason);
void egress_await_refused(struct forwarder *forwarder, struct connection *connection);

/* egress_connect.c: what may be reached, and the way there. */
void egress_deny(struct forwarder *forwarder, struct connection *connection, const char *reason);
/* The addresses of an allowed name, or the one that was asked for: those of them that may be reached. */
void egress_decide(struct forwarder *forwarder, struct connection *connection);
void egress_connect_next(struct forwarder *forwarder, struct connection *connection);
void egress_check_connected(struct forwarder *forwarder, struct connection *connection);
/* A socket on its way to an address; -1: it cannot be. */
int egress_socket_to(const struct egress_address *address, uint16_t port, int type);

/* egress_lookup.c: the addresses of a name. */
void egress_look_up(struct forwarder *forwarder, struct connection *connection);
/* The next server, or the first again; a socket for each question, so that an answer can only come from whom
 * was asked. */
void egress_ask_next(struct forwarder *forwarder, struct connection *connection);
void egress_read_answers(struct forwarder *forwarder, struct connection *connection);
