/* Runs in the forwarder: the first words of a connection, from a task that may say anything. */
#pragma once
#include "egress_rules.h"

enum egress_protocol { EGRESS_CONNECT, EGRESS_FORWARD, EGRESS_SOCKS };
enum egress_parsed { EGRESS_MORE, EGRESS_BAD, EGRESS_GREETED, EGRESS_READY };

struct egress_target {
  enum egress_protocol protocol;
  uint16_t port;
  bool is_address;
  /* As asked for, normalized; of an address its text. */
  char host[EGRESS_NAME_MAX + 1];
  struct egress_address address;
  /* Bytes of the request that this is the end of. */
  size_t used;
  /* Of EGRESS_BAD: an HTTP status, or a reply code of SOCKS. */
  int status;
};

enum { EGRESS_HEAD_MAX = 15 << 10 };

/*
 * CONNECT, a request by absolute URL, or SOCKS5, by the first bytes. EGRESS_GREETED: `used` bytes are a
 * greeting of SOCKS5 that offers no password; it is to be answered, and the request comes after it. `greeted`
 * says that one has come.
 */
enum egress_parsed egress_request_parse(
    const char *bytes, size_t count, bool greeted, struct egress_target *target);

/*
 * What the server is sent in the place of `head`: the path alone, its own Host, and `Connection: close`, so
 * that no second request, to another host, follows on the same connection. The length, or 0 when it does not
 * fit.
 */
size_t egress_request_rewrite(
    const char *head, size_t length, const struct egress_target *target, char *to, size_t size);
