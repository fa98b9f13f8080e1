/* What the shim and the forwarder say to each other: a seqpacket socket, a message each. */
#pragma once
#include "egress_rules.h"

/*
 * To the forwarder: the rules as text, NUL included; or one byte, with the socket that listens in the task's
 * network. From it: decisions.
 */
struct egress_decision {
  int64_t at_ms;
  uint16_t port;
  bool allowed;
  char host[EGRESS_NAME_MAX + 1];
};

enum { EGRESS_CONNECTIONS_MAX = 1024 };
