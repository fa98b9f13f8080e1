#include "egress_dns.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

static const char blank[] = " \t\r";

static void add(struct egress_addresses *found, const struct egress_address *address) {
  for (size_t i = 0; i < found->count; i++)
    if (memcmp(&found->list[i], address, sizeof *address) == 0) return;
  if (found->count < EGRESS_ADDRESSES_MAX) found->list[found->count++] = *address;
}

static bool names(char *rest, const char *name) {
  char *next = NULL;
  for (char *word = strtok_r(rest, blank, &next); word != NULL; word = strtok_r(NULL, blank, &next)) {
    size_t length = strlen(word);
    if (length > 1 && word[length - 1] == '.') word[length - 1] = '\0';
    if (strcasecmp(word, name) == 0) return true;
  }
  return false;
}

void hosts_find(char *text, const char *name, struct egress_addresses *found) {
  char *rest = NULL;
  for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    struct egress_address address;
    char *after = NULL;
    line[strcspn(line, "#")] = '\0';
    char *first = strtok_r(line, blank, &after);
    if (first != NULL && egress_address_parse(first, &address) && names(after, name)) add(found, &address);
  }
}

void resolv_servers(char *text, struct dns_servers *servers) {
  char *rest = NULL;
  servers->count = 0;
  for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    char *after = NULL, *word = strtok_r(line, blank, &after);
    if (word == NULL || strcmp(word, "nameserver") != 0 || servers->count == DNS_SERVERS_MAX) continue;
    char *address = strtok_r(NULL, blank, &after);
    if (address != NULL && egress_address_parse(address, &servers->list[servers->count])) servers->count++;
  }
  if (servers->count == 0) servers->count = egress_address_parse("127.0.0.1", &servers->list[0]) ? 1 : 0;
}

enum {
  HEADER = 12,
  FLAG_RESPONSE = 0x80,
  FLAG_RECURSION = 0x01,
  RCODE = 0x0f,
  CLASS_IN = 1,
  TYPE_OPT = 41,
  POINTER = 0xc0
};

static unsigned char *put16(unsigned char *to, unsigned value) {
  to[0] = (unsigned char)(value >> 8);
  to[1] = (unsigned char)value;
  return to + 2;
}
static unsigned get16(const unsigned char *from) { return (unsigned)(from[0] << 8 | from[1]); }

/* The name is normalized: labels of 1 to 63 bytes, 253 in all. */
static unsigned char *put_name(unsigned char *to, const char *name) {
  for (const char *label = name; *label != '\0';) {
    size_t length = strcspn(label, ".");
    *to++ = (unsigned char)length;
    memcpy(to, label, length);
    to += length;
    label += length;
    label += *label == '.';
  }
  *to++ = 0;
  return to;
}

size_t dns_question(unsigned char message[DNS_MESSAGE_MAX], uint16_t id, const char *name, uint16_t type) {
  memset(message, 0, HEADER);
  put16(message, id);
  message[2] = FLAG_RECURSION;
  put16(message + 4, 1);
  put16(message + 10, 1);
  unsigned char *next = put16(put16(put_name(message + HEADER, name), type), CLASS_IN);
  /* EDNS (RFC 6891): root as its name, the size of a datagram that we take where others have a class. */
  *next++ = 0;
  next = put16(put16(next, TYPE_OPT), DNS_MESSAGE_MAX);
  memset(next, 0, 6);
  return (size_t)(next + 6 - message);
}

/* Past a name, compressed or not; 0: it does not end. */
static size_t skip_name(const unsigned char *message, size_t length, size_t at) {
  for (int hops = 0; at < length && hops < 128; hops++) {
    unsigned size = message[at];
    if (size == 0) return at + 1;
    if ((size & POINTER) == POINTER) return at + 2;
    if ((size & POINTER) != 0) return 0;
    at += size + 1;
  }
  return 0;
}

static bool is_question(
    const unsigned char *message, size_t length, const char *name, uint16_t type, size_t *after) {
  unsigned char expected[EGRESS_NAME_MAX + 2];
  size_t size = (size_t)(put_name(expected, name) - expected);
  if (length < HEADER + size + 4) return false;
  for (size_t i = 0; i < size; i++) {
    unsigned char byte = message[HEADER + i];
    /* Some servers answer in the case they like (a length is below 64, and so no letter). */
    if (byte >= 'A' && byte <= 'Z') byte = (unsigned char)(byte - 'A' + 'a');
    if (byte != expected[i]) return false;
  }
  *after = HEADER + size + 4;
  return get16(message + HEADER + size) == type && get16(message + HEADER + size + 2) == CLASS_IN;
}

bool dns_answer(const unsigned char *message, size_t length, uint16_t id, const char *name, uint16_t type,
    struct egress_addresses *found) {
  size_t at;
  if (length < HEADER || get16(message) != id || (message[2] & FLAG_RESPONSE) == 0 || get16(message + 4) != 1)
    return false;
  if (!is_question(message, length, name, type, &at)) return false;
  unsigned answers = (message[3] & RCODE) == 0 ? get16(message + 6) : 0, size = type == DNS_A ? 4 : 16;
  for (unsigned i = 0; i < answers; i++) {
    at = skip_name(message, length, at);
    /* What was cut short is none the less what is known. */
    if (at == 0 || length < at + 10) return true;
    unsigned data = get16(message + at + 8);
    if (length < at + 10 + data) return true;
    if (get16(message + at) == type && get16(message + at + 2) == CLASS_IN && data == size) {
      struct egress_address address;
      egress_address_from(message + at + 10, size, &address);
      add(found, &address);
    }
    at += 10 + data;
  }
  return true;
}

socklen_t egress_socket_address(
    const struct egress_address *address, uint16_t port, struct sockaddr_storage *to) {
  char text[INET6_ADDRSTRLEN];
  egress_address_text(address, text, sizeof text);
  memset(to, 0, sizeof *to);
  if (strchr(text, ':') == NULL) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)to;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    memcpy(&v4->sin_addr, address->bytes + 12, 4);
    return sizeof *v4;
  }
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  memcpy(&v6->sin6_addr, address->bytes, 16);
  return sizeof *v6;
}
