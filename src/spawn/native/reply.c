#include "reply.h"
#include <stdio.h>

size_t reply_failed(char line[MAX_REPLY], int id, const struct failure *failure) {
  int head = snprintf(line, MAX_REPLY, "failed %d %s %d ", id, stage_name(failure->stage), failure->error);
  size_t length = (size_t)head;
  for (const char *byte = failure->detail; *byte != '\0' && length < MAX_REPLY - 8; byte++) {
    unsigned char code = (unsigned char)*byte;
    if (code >= 0x20 && code != 0x7f && code != '\\') line[length++] = *byte;
    else length += (size_t)snprintf(line + length, 5, "\\x%02x", code);
  }
  line[length++] = '\n';
  return length;
}
