#include "egress_check.h"
#include <stdio.h>
#include <string.h>
#include "egress_dns.h"
#include "egress_request.h"
#include "frame.h"

/* A block of just the length, and a NUL where the parser takes text: so a sanitizer sees a byte too far. */
static char *copy_of(const char *bytes, size_t length, bool is_text) {
  char *copy = malloc(length + is_text);
  if (copy == NULL) abort();
  memcpy(copy, bytes, length);
  if (is_text) copy[length] = '\0';
  return copy;
}

static void print_addresses(const struct egress_addresses *found) {
  char text[64];
  for (size_t i = 0; i < found->count; i++) {
    egress_address_text(&found->list[i], text, sizeof text);
    printf(" %s%s", text, egress_is_public(&found->list[i]) ? "" : " private");
  }
  puts("");
}

static void check_request(const char *bytes, size_t length, bool greeted) {
  static const char *const names[] = {
      [EGRESS_MORE] = "more", [EGRESS_BAD] = "bad", [EGRESS_GREETED] = "greeted", [EGRESS_READY] = "ready"};
  struct egress_target target;
  char head[EGRESS_HEAD_MAX + 512];
  enum egress_parsed parsed = egress_request_parse(bytes, length, greeted, &target);
  printf("%s", names[parsed]);
  if (parsed == EGRESS_BAD) printf(" %d", target.status);
  if (parsed == EGRESS_READY) printf(" %s %u %zu", target.host, target.port, target.used);
  if (parsed == EGRESS_READY && target.protocol == EGRESS_FORWARD) {
    size_t count = egress_request_rewrite(bytes, target.used, &target, head, sizeof head);
    putchar(' ');
    for (size_t i = 0; i < count; i++)
      printf(head[i] < 32 || head[i] > 126 || head[i] == '\\' ? "\\x%02x" : "%c", (unsigned char)head[i]);
  }
  puts("");
}

/* RULES NUL HOST NUL PORT: whether the host, a name or an address, may be reached. */
static void check_rules(char *bytes, size_t length) {
  struct egress_rules rules = {0};
  size_t first = strnlen(bytes, length),
         second = first < length ? first + 1 + strnlen(bytes + first + 1, length - first - 1) : length;
  int64_t port;
  if (second >= length || !egress_rules_parse(&rules, copy_of(bytes, first, true)) ||
      !parse_number(bytes + second + 1, 1, 65535, &port)) {
    puts("bad");
    egress_rules_free(&rules);
    return;
  }
  char *host = bytes + first + 1;
  struct egress_address address;
  bool allowed = egress_address_parse(host, &address)
                     ? egress_allows_address(&rules, &address, (uint16_t)port)
                     : egress_name_normalize(host) && egress_allows_name(&rules, host, (uint16_t)port);
  puts(allowed ? "allowed" : "denied");
  egress_rules_free(&rules);
}

static void check_hosts(char *bytes) {
  struct egress_addresses found = {0};
  hosts_find(bytes, "example.com", &found);
  printf("hosts");
  print_addresses(&found);
}

static void check_servers(char *bytes) {
  struct dns_servers servers;
  struct egress_addresses found = {0};
  resolv_servers(bytes, &servers);
  for (size_t i = 0; i < servers.count; i++) found.list[found.count++] = servers.list[i];
  printf("servers");
  print_addresses(&found);
}

static void check_answer(const char *bytes, size_t length) {
  struct egress_addresses found = {0};
  bool is_ours = dns_answer((const unsigned char *)bytes, length, 0x1234, "example.com", DNS_A, &found);
  printf("%s", is_ours ? "answer" : "other");
  print_addresses(&found);
}

static void check(const char *frame, size_t size) {
  char *bytes = copy_of(frame + 1, size - 1, strchr("uhn", frame[0]) != NULL);
  size_t length = size - 1;
  switch (frame[0]) {
    case 'r': check_request(bytes, length, false); break;
    case 's': check_request(bytes, length, true); break;
    case 'u': check_rules(bytes, length); break;
    case 'h': check_hosts(bytes); break;
    case 'n': check_servers(bytes); break;
    case 'd': check_answer(bytes, length); break;
    default: puts("unknown");
  }
  fflush(stdout);
  free(bytes);
}

int egress_check_run(void) {
  struct frame_reader reader = {0};
  for (;;) {
    enum frame_state state = frame_read(&reader, 0);
    if (state == FRAME_MORE) continue;
    struct request request = frame_take(&reader);
    if (state == FRAME_WHOLE) check(request.frame, request.frame_size);
    request_release(&request);
    if (state != FRAME_WHOLE) return state == FRAME_END ? 0 : 2;
  }
}
