#include "egress_request.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SOCKS_VERSION = 5, SOCKS_CONNECT = 1, SOCKS_V4 = 1, SOCKS_NAME = 3, SOCKS_V6 = 4 };
enum { SOCKS_FAILED = 1, SOCKS_NO_COMMAND = 7, SOCKS_NO_ADDRESS_TYPE = 8 };
enum { HTTP_BAD = 400, HTTP_TOO_LARGE = 431 };

static enum egress_parsed bad(struct egress_target *target, int status) {
  target->status = status;
  return EGRESS_BAD;
}

/* A name or an address, of `length` bytes, into the target. */
static bool take_host(struct egress_target *target, const char *text, size_t length) {
  if (length == 0 || length > EGRESS_NAME_MAX || memchr(text, '\0', length) != NULL) return false;
  memcpy(target->host, text, length);
  target->host[length] = '\0';
  target->is_address = egress_address_parse(target->host, &target->address);
  return target->is_address || egress_name_normalize(target->host);
}

static bool take_port(struct egress_target *target, const char *text, size_t length) {
  char digits[6];
  int64_t port;
  if (length == 0 || length >= sizeof digits) return false;
  memcpy(digits, text, length);
  digits[length] = '\0';
  if (!parse_number(digits, 1, 65535, &port)) return false;
  target->port = (uint16_t)port;
  return true;
}

/* HOST[:PORT], HOST in brackets where it is IPv6. A port of 0 by default: there must be one. */
static bool take_authority(struct egress_target *target, const char *text, size_t length, uint16_t port) {
  const char *end = text + length, *host = text, *after;
  if (length > 0 && text[0] == '[') {
    host = text + 1;
    after = memchr(host, ']', length - 1);
    if (after == NULL || memchr(host, ':', (size_t)(after - host)) == NULL ||
        !take_host(target, host, (size_t)(after - host)))
      return false;
    after++;
  } else {
    after = memchr(text, ':', length);
    if (after == NULL) after = end;
    if (!take_host(target, host, (size_t)(after - host))) return false;
  }
  target->port = port;
  if (after == end) return port != 0;
  return *after == ':' && take_port(target, after + 1, (size_t)(end - after - 1));
}

/* METHOD SP TARGET SP HTTP/1.x, of which the middle is given. */
static bool split_line(const char *line, size_t length, const char **middle, size_t *size) {
  const char *first = memchr(line, ' ', length), *end = line + length;
  if (first == NULL || first == line) return false;
  const char *second = memchr(first + 1, ' ', (size_t)(end - first - 1));
  if (second == NULL || end - second != 9 || memcmp(second + 1, "HTTP/1.", 7) != 0) return false;
  *middle = first + 1;
  *size = (size_t)(second - first - 1);
  return true;
}

static const char scheme[] = "http://";
enum { SCHEME_LENGTH = sizeof scheme - 1 };

static bool is_http_url(const char *url, size_t length) {
  return length > SCHEME_LENGTH && strncasecmp(url, scheme, SCHEME_LENGTH) == 0;
}

static size_t authority_length(const char *url, size_t length) {
  size_t at = SCHEME_LENGTH;
  while (at < length && strchr("/?#", url[at]) == NULL) at++;
  return at - SCHEME_LENGTH;
}

static enum egress_parsed parse_http(const char *bytes, size_t count, struct egress_target *target) {
  const char *end = memmem(bytes, count, "\r\n\r\n", 4);
  if (end == NULL) return count >= EGRESS_HEAD_MAX ? bad(target, HTTP_TOO_LARGE) : EGRESS_MORE;
  target->used = (size_t)(end - bytes) + 4;
  if (target->used > EGRESS_HEAD_MAX) return bad(target, HTTP_TOO_LARGE);
  const char *middle;
  size_t size;
  if (memchr(bytes, '\0', target->used) != NULL) return bad(target, HTTP_BAD);
  if (!split_line(bytes, (size_t)((const char *)memmem(bytes, count, "\r\n", 2) - bytes), &middle, &size))
    return bad(target, HTTP_BAD);
  bool connects = strncmp(bytes, "CONNECT ", 8) == 0;
  target->protocol = connects ? EGRESS_CONNECT : EGRESS_FORWARD;
  if (connects) return take_authority(target, middle, size, 0) ? EGRESS_READY : bad(target, HTTP_BAD);
  if (!is_http_url(middle, size)) return bad(target, HTTP_BAD);
  return take_authority(target, middle + SCHEME_LENGTH, authority_length(middle, size), 80)
             ? EGRESS_READY
             : bad(target, HTTP_BAD);
}

static enum egress_parsed parse_greeting(
    const unsigned char *bytes, size_t count, struct egress_target *target) {
  if (count < 2 || count < 2u + bytes[1]) return EGRESS_MORE;
  target->used = 2u + bytes[1];
  return memchr(bytes + 2, 0, bytes[1]) != NULL ? EGRESS_GREETED : bad(target, SOCKS_FAILED);
}

static enum egress_parsed parse_socks(
    const unsigned char *bytes, size_t count, struct egress_target *target) {
  if (count < 5) return EGRESS_MORE;
  if (bytes[0] != SOCKS_VERSION) return bad(target, SOCKS_FAILED);
  size_t at = bytes[3] == SOCKS_NAME ? 5 : 4, length;
  if (bytes[3] == SOCKS_V4) length = 4;
  else if (bytes[3] == SOCKS_V6) length = 16;
  else if (bytes[3] == SOCKS_NAME) length = bytes[4];
  else return bad(target, SOCKS_NO_ADDRESS_TYPE);
  if (count < at + length + 2) return EGRESS_MORE;
  target->used = at + length + 2;
  target->port = (uint16_t)(bytes[at + length] << 8 | bytes[at + length + 1]);
  if (bytes[1] != SOCKS_CONNECT) return bad(target, SOCKS_NO_COMMAND);
  if (target->port == 0) return bad(target, SOCKS_FAILED);
  if (bytes[3] == SOCKS_NAME)
    return take_host(target, (const char *)bytes + at, length) ? EGRESS_READY : bad(target, SOCKS_FAILED);
  target->is_address = true;
  egress_address_from(bytes + at, length, &target->address);
  egress_address_text(&target->address, target->host, sizeof target->host);
  return EGRESS_READY;
}

enum egress_parsed egress_request_parse(
    const char *bytes, size_t count, bool greeted, struct egress_target *target) {
  *target = (struct egress_target){0};
  if (count == 0) return EGRESS_MORE;
  if (!greeted && bytes[0] != SOCKS_VERSION) return parse_http(bytes, count, target);
  target->protocol = EGRESS_SOCKS;
  return greeted ? parse_socks((const unsigned char *)bytes, count, target)
                 : parse_greeting((const unsigned char *)bytes, count, target);
}

struct writer {
  char *next, *end;
  bool full;
};

static void put(struct writer *writer, const char *bytes, size_t count) {
  if ((size_t)(writer->end - writer->next) < count) writer->full = true;
  if (writer->full) return;
  memcpy(writer->next, bytes, count);
  writer->next += count;
}
static void put_text(struct writer *writer, const char *text) { put(writer, text, strlen(text)); }

/* What is between us and the client, what names a host, and what would say otherwise. */
static bool is_ours(const char *line, size_t length) {
  static const char *const names[] = {
      "host", "connection", "keep-alive", "proxy-connection", "proxy-authorization", "te", "upgrade"};
  const char *colon = memchr(line, ':', length);
  for (size_t i = 0; colon != NULL && i < sizeof names / sizeof names[0]; i++)
    if (strlen(names[i]) == (size_t)(colon - line) && strncasecmp(line, names[i], strlen(names[i])) == 0)
      return true;
  return false;
}

static void put_host(struct writer *writer, const struct egress_target *target) {
  bool is_v6 = target->is_address && strchr(target->host, ':') != NULL;
  char port[8];
  put_text(writer, is_v6 ? "Host: [" : "Host: ");
  put_text(writer, target->host);
  if (is_v6) put_text(writer, "]");
  snprintf(port, sizeof port, ":%u", target->port);
  if (target->port != 80) put_text(writer, port);
  put_text(writer, "\r\nConnection: close\r\n");
}

size_t egress_request_rewrite(
    const char *head, size_t length, const struct egress_target *target, char *to, size_t size) {
  struct writer writer = {to, to + size, false};
  const char *end = head + length - 2, *line = memmem(head, length, "\r\n", 2), *url;
  size_t url_length;
  if (line == NULL || !split_line(head, (size_t)(line - head), &url, &url_length)) return 0;
  size_t authority = SCHEME_LENGTH + authority_length(url, url_length);
  put(&writer, head, (size_t)(url - head));
  if (authority == url_length || url[authority] != '/') put_text(&writer, "/");
  put(&writer, url + authority, (size_t)(line - url) - authority);
  put_text(&writer, "\r\n");
  put_host(&writer, target);
  for (line += 2; line < end;) {
    const char *next = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
    if (next == NULL) return 0;
    size_t count = (size_t)(next + 2 - line);
    if (!is_ours(line, count)) put(&writer, line, count);
    line = next + 2;
  }
  put_text(&writer, "\r\n");
  return writer.full ? 0 : (size_t)(writer.next - to);
}
