/* Text of unknown length, for JSON. */
#pragma once
#include "io.h"

struct text {
  char *data;
  size_t length, capacity;
  bool failed;
};

#define _cleanup_text_ CLEANUP(text_free)
void text_free(struct text *text);
void text_add(struct text *text, const char *format, ...) PRINTF(2, 3);
/* A JSON string. Bytes that are no UTF-8 are kept as they are; readers replace them. */
void text_add_string(struct text *text, const char *value);
