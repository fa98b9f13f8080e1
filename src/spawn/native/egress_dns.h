/*
 * Runs in the forwarder: names to addresses, by /etc/hosts and the servers of /etc/resolv.conf (RFC 1035,
 * hosts(5), resolver(5)). Not by the C library: a static one has no modules of nsswitch.conf, and waits.
 */
#pragma once
#include <sys/socket.h>
#include "egress_rules.h"

enum { EGRESS_ADDRESSES_MAX = 16, DNS_SERVERS_MAX = 3, DNS_MESSAGE_MAX = 1232, DNS_A = 1, DNS_AAAA = 28 };

struct egress_addresses {
  struct egress_address list[EGRESS_ADDRESSES_MAX];
  size_t count;
};

struct dns_servers {
  struct egress_address list[DNS_SERVERS_MAX];
  size_t count;
};

/* What `text`, a hosts file, says of the name. */
void hosts_find(char *text, const char *name, struct egress_addresses *found);
/* The name servers of a resolv.conf; the host's own where it names none. */
void resolv_servers(char *text, struct dns_servers *servers);
/* A question for one type, with a size that fits a datagram. Its length. */
size_t dns_question(unsigned char message[DNS_MESSAGE_MAX], uint16_t id, const char *name, uint16_t type);
/* Adds the addresses in an answer to just that question. False: it is another's, or none. */
bool dns_answer(const unsigned char *message, size_t length, uint16_t id, const char *name, uint16_t type,
    struct egress_addresses *found);

/* As the kernel takes it; its length. */
socklen_t egress_socket_address(
    const struct egress_address *address, uint16_t port, struct sockaddr_storage *to);
