/* Runs in the forwarder: which destinations a task may reach. */
#pragma once
#include "io.h"

enum { EGRESS_NAME_MAX = 253, EGRESS_TEXT_MAX = 60000 };

/* An address of either family: IPv4 as ::ffff:a.b.c.d. */
struct egress_address {
  unsigned char bytes[16];
};

enum egress_kind { EGRESS_NAME, EGRESS_SUFFIX, EGRESS_PREFIX };
struct egress_rule {
  enum egress_kind kind;
  /* 0: any. */
  uint16_t port;
  /* Of EGRESS_NAME, and of EGRESS_SUFFIX, there with its dot in front. */
  const char *name;
  /* Of EGRESS_PREFIX. */
  struct egress_address address;
  unsigned length;
};

struct egress_rules {
  char *text;
  struct egress_rule *list;
  size_t count;
};

/* `name HOST PORT`, `suffix DOMAIN PORT` or `prefix ADDRESS/LENGTH PORT`; the text is changed and kept.
 * False: it is none of them. */
bool egress_rule_parse(char *text, struct egress_rule *rule);
/* One rule a line. Takes the text, which must be of malloc and end with NUL. False: there is one that is
 * none, or no memory; nothing is kept. */
bool egress_rules_parse(struct egress_rules *rules, char *text);
void egress_rules_free(struct egress_rules *rules);

/* A dotted quad, or IPv6 without brackets and without a zone. */
bool egress_address_parse(const char *text, struct egress_address *address);
/* Of 4 or 16 bytes. */
void egress_address_from(const unsigned char *bytes, size_t length, struct egress_address *address);
void egress_address_text(const struct egress_address *address, char *text, size_t size);
/* In lower case, without a final dot. False: no host name could be so, or it ends with a number, as only
 * addresses do. */
bool egress_name_normalize(char *name);

bool egress_allows_name(const struct egress_rules *rules, const char *name, uint16_t port);
/* By a rule that names addresses. */
bool egress_allows_address(
    const struct egress_rules *rules, const struct egress_address *address, uint16_t port);
/* Neither private, local to a link or a host, reserved, nor one that leads to such by translation (RFC 6890,
 * RFC 6052, RFC 3056). */
bool egress_is_public(const struct egress_address *address);
