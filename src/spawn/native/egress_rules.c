#include "egress_rules.h"
#include <arpa/inet.h>
#include <string.h>

enum { V4_MAPPED_LENGTH = 96, LABEL_MAX = 63, PORT_MAX = 65535 };
static const unsigned char v4_mapped[12] = {[10] = 0xff, [11] = 0xff};

bool egress_address_parse(const char *text, struct egress_address *address) {
  memcpy(address->bytes, v4_mapped, sizeof v4_mapped);
  if (inet_pton(AF_INET, text, address->bytes + sizeof v4_mapped) == 1) return true;
  return inet_pton(AF_INET6, text, address->bytes) == 1;
}

void egress_address_from(const unsigned char *bytes, size_t length, struct egress_address *address) {
  memcpy(address->bytes, v4_mapped, sizeof v4_mapped);
  memcpy(address->bytes + sizeof address->bytes - length, bytes, length);
}

void egress_address_text(const struct egress_address *address, char *text, size_t size) {
  bool is_v4 = memcmp(address->bytes, v4_mapped, sizeof v4_mapped) == 0;
  if (inet_ntop(is_v4 ? AF_INET : AF_INET6, address->bytes + (is_v4 ? sizeof v4_mapped : 0), text,
          (socklen_t)size) == NULL)
    text[0] = '\0';
}

static bool is_label_byte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

static bool is_number(const char *label) { return label[strspn(label, "0123456789")] == '\0'; }

bool egress_name_normalize(char *name) {
  size_t length = strlen(name);
  if (length > 1 && name[length - 1] == '.') name[--length] = '\0';
  if (length == 0 || length > EGRESS_NAME_MAX) return false;
  size_t label = 0;
  for (char *byte = name; *byte != '\0'; byte++) {
    if (*byte >= 'A' && *byte <= 'Z') *byte = (char)(*byte - 'A' + 'a');
    if (*byte == '.' ? label == 0 : (!is_label_byte(*byte) || label == LABEL_MAX)) return false;
    label = *byte == '.' ? 0 : label + 1;
  }
  const char *last = strrchr(name, '.');
  return label > 0 && !is_number(last == NULL ? name : last + 1);
}

/* HOST[/LENGTH] of which the bits beyond the length are nothing to compare. */
static bool parse_prefix(char *text, struct egress_rule *rule) {
  char *slash = strchr(text, '/');
  int64_t length;
  if (slash == NULL) return false;
  *slash = '\0';
  bool is_v4 = strchr(text, ':') == NULL;
  if (!egress_address_parse(text, &rule->address) || !parse_number(slash + 1, 0, is_v4 ? 32 : 128, &length))
    return false;
  rule->length = (unsigned)length + (is_v4 ? (unsigned)V4_MAPPED_LENGTH : 0);
  return true;
}

bool egress_rule_parse(char *text, struct egress_rule *rule) {
  char *rest = NULL, *kind = strtok_r(text, " ", &rest), *value = strtok_r(NULL, " ", &rest),
       *port = strtok_r(NULL, " ", &rest);
  int64_t number;
  if (port == NULL || strtok_r(NULL, " ", &rest) != NULL || !parse_number(port, 0, PORT_MAX, &number))
    return false;
  *rule = (struct egress_rule){.port = (uint16_t)number, .name = value};
  if (strcmp(kind, "prefix") == 0) return rule->kind = EGRESS_PREFIX, parse_prefix(value, rule);
  if (strcmp(kind, "name") == 0) return rule->kind = EGRESS_NAME, egress_name_normalize(value);
  if (strcmp(kind, "suffix") == 0)
    return rule->kind = EGRESS_SUFFIX, value[0] == '.' && egress_name_normalize(value + 1);
  return false;
}

void egress_rules_free(struct egress_rules *rules) {
  free(rules->text);
  free(rules->list);
  *rules = (struct egress_rules){0};
}

bool egress_rules_parse(struct egress_rules *rules, char *text) {
  struct egress_rules parsed = {.text = text};
  size_t lines = 1;
  for (const char *byte = text; *byte != '\0'; byte++) lines += *byte == '\n';
  parsed.list = calloc(lines, sizeof *parsed.list);
  char *rest = NULL;
  bool whole = parsed.list != NULL;
  for (char *line = strtok_r(text, "\n", &rest); whole && line != NULL; line = strtok_r(NULL, "\n", &rest))
    whole = egress_rule_parse(line, &parsed.list[parsed.count++]);
  if (!whole) return egress_rules_free(&parsed), false;
  egress_rules_free(rules);
  *rules = parsed;
  return true;
}

static bool is_for_port(const struct egress_rule *rule, uint16_t port) {
  return rule->port == 0 || rule->port == port;
}

bool egress_allows_name(const struct egress_rules *rules, const char *name, uint16_t port) {
  size_t length = strlen(name);
  for (size_t i = 0; i < rules->count; i++) {
    const struct egress_rule *rule = &rules->list[i];
    if (!is_for_port(rule, port)) continue;
    if (rule->kind == EGRESS_NAME && strcmp(rule->name, name) == 0) return true;
    size_t suffix = rule->kind == EGRESS_SUFFIX ? strlen(rule->name) : 0;
    if (suffix > 0 && length > suffix && strcmp(name + length - suffix, rule->name) == 0) return true;
  }
  return false;
}

static bool begins_with(const unsigned char *bytes, const unsigned char *prefix, unsigned length) {
  unsigned whole = length / 8, bits = length % 8;
  if (memcmp(bytes, prefix, whole) != 0) return false;
  unsigned mask = 0xff00u >> bits & 0xff;
  return bits == 0 || ((bytes[whole] ^ prefix[whole]) & mask) == 0;
}

bool egress_allows_address(
    const struct egress_rules *rules, const struct egress_address *address, uint16_t port) {
  for (size_t i = 0; i < rules->count; i++) {
    const struct egress_rule *rule = &rules->list[i];
    if (rule->kind != EGRESS_PREFIX || !is_for_port(rule, port)) continue;
    if (begins_with(address->bytes, rule->address.bytes, rule->length)) return true;
  }
  return false;
}

/* The registries of special-purpose addresses (RFC 6890 and its successors), and multicast. */
static bool is_public_v4(const unsigned char *bytes) {
  static const struct {
    unsigned char prefix[4];
    unsigned length;
  } kept[] = {
      {{0}, 8},
      {{10}, 8},
      {{100, 64}, 10},
      {{127}, 8},
      {{169, 254}, 16},
      {{172, 16}, 12},
      {{192, 0, 0}, 24},
      {{192, 0, 2}, 24},
      {{192, 88, 99}, 24},
      {{192, 168}, 16},
      {{198, 18}, 15},
      {{198, 51, 100}, 24},
      {{203, 0, 113}, 24},
      {{224}, 3},
  };
  for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
    if (begins_with(bytes, kept[i].prefix, kept[i].length)) return false;
  return true;
}

bool egress_is_public(const struct egress_address *address) {
  static const unsigned char global[] = {0x20}, special[] = {0x20, 0x01, 0x00, 0x00},
                             documented[] = {0x20, 0x01, 0x0d, 0xb8};
  static const unsigned char documented_too[] = {0x3f, 0xff, 0x00}, relayed[] = {0x20, 0x02},
                             translated[12] = {0x00, 0x64, 0xff, 0x9b};
  const unsigned char *bytes = address->bytes;
  if (memcmp(bytes, v4_mapped, sizeof v4_mapped) == 0 || memcmp(bytes, translated, sizeof translated) == 0)
    return is_public_v4(bytes + 12);
  if (begins_with(bytes, relayed, 16)) return is_public_v4(bytes + 2);
  /* Unicast that is routed between networks is in 2000::/3 alone; 2001::/23 holds what is not (Teredo,
   * benchmarks, ORCHID). */
  return begins_with(bytes, global, 3) && !begins_with(bytes, special, 23) &&
         !begins_with(bytes, documented, 32) && !begins_with(bytes, documented_too, 20);
}
