#include "egress_state.h"
#include <stdio.h>
#include <string.h>

static const char *words_for(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 431: return "Request Header Fields Too Large";
    case 502: return "Bad Gateway";
    default: return "Gateway Timeout";
  }
}

static int socks_code(int status) {
  return status == 403 ? 2 : status == 502 ? 4 : status == 504 ? 6 : status < 100 ? status : 1;
}

void egress_answer(struct connection *connection, const void *bytes, size_t count) {
  struct flow *down = &connection->down;
  if (egress_room_in(down) < count) return;
  memcpy(down->bytes + down->end, bytes, count);
  down->end += count;
}

void egress_answer_socks(struct connection *connection, int code) {
  const unsigned char reply[] = {5, (unsigned char)code, 0, 1, 0, 0, 0, 0, 0, 0};
  egress_answer(connection, reply, sizeof reply);
}

static void answer_http(struct connection *connection, int status, const char *reason) {
  char text[512], body[256];
  int length = snprintf(body, sizeof body, "holdfast: %.*s%s%s\n", EGRESS_NAME_MAX - 150,
      connection->target.host, connection->target.host[0] == '\0' ? "" : ": ", reason);
  if (length < 0 || length >= (int)sizeof body) length = (int)strlen(body);
  length = snprintf(text, sizeof text,
      "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
      status, words_for(status), length, body);
  if (length > 0 && length < (int)sizeof text) egress_answer(connection, text, (size_t)length);
}

/* The client is told why, and has a moment to read it: what it has still sent would otherwise reset the
 * connection. */
void egress_refuse(
    struct forwarder *forwarder, struct connection *connection, int status, const char *reason) {
  egress_close_endpoint(forwarder, &connection->server);
  egress_close_endpoint(forwarder, &connection->lookup_end);
  if (connection->target.protocol == EGRESS_SOCKS) {
    const unsigned char none[] = {5, 0xff};
    if (connection->greeted) egress_answer_socks(connection, socks_code(status));
    else egress_answer(connection, none, sizeof none);
  } else answer_http(connection, status, reason);
  connection->phase = PHASE_REFUSAL;
  connection->deadline = boottime_ms() + REFUSAL_MAX_MS;
  connection->down.ended = true;
  connection->up = (struct flow){0};
  if (!egress_drain(&connection->down, connection->client.fd)) egress_end(forwarder, connection);
  else
    egress_set_interest(
        forwarder, &connection->client, EPOLLIN | (connection->down.shut ? 0 : (uint32_t)EPOLLOUT));
}

void egress_await_refused(struct forwarder *forwarder, struct connection *connection) {
  connection->up.start = connection->up.end = 0;
  bool whole = egress_fill(&connection->up, connection->client.fd) &&
               egress_drain(&connection->down, connection->client.fd);
  if (!whole || (connection->up.ended && connection->down.shut)) egress_end(forwarder, connection);
  else
    egress_set_interest(
        forwarder, &connection->client, EPOLLIN | (connection->down.shut ? 0 : (uint32_t)EPOLLOUT));
}
