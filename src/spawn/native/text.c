#include "text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_free(struct text *text) {
  pages_release(text->data, text->capacity);
  *text = (struct text){0};
}

static bool reserve(struct text *text, size_t more) {
  if (text->failed) return false;
  if (text->length + more < text->capacity) return true;
  size_t capacity = (text->length + more + 1) * 2;
  if (capacity < 4096) capacity = 4096;
  char *grown = pages_allocate(capacity);
  if (grown == NULL) return text->failed = true, false;
  if (text->length > 0) memcpy(grown, text->data, text->length);
  pages_release(text->data, text->capacity);
  text->data = grown;
  text->capacity = capacity;
  return true;
}

void text_add(struct text *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  int size = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (size >= 0 && reserve(text, (size_t)size + 1)) {
    vsnprintf(text->data + text->length, (size_t)size + 1, format, again);
    text->length += (size_t)size;
  }
  va_end(again);
}

static void add_bytes(struct text *text, const char *bytes, size_t size) {
  if (!reserve(text, size + 1)) return;
  memcpy(text->data + text->length, bytes, size);
  text->data[text->length += size] = '\0';
}

static bool is_plain(unsigned char code) {
  return code >= 0x20 && code != 0x7f && code != '"' && code != '\\';
}

void text_add_string(struct text *text, const char *value) {
  add_bytes(text, "\"", 1);
  for (const char *byte = value; *byte != '\0';) {
    size_t plain = 0;
    while (is_plain((unsigned char)byte[plain])) plain++;
    add_bytes(text, byte, plain);
    byte += plain;
    if (*byte == '\0') break;
    unsigned char code = (unsigned char)*byte++;
    if (code == '"' || code == '\\') text_add(text, "\\%c", code);
    else text_add(text, "\\u%04x", code);
  }
  add_bytes(text, "\"", 1);
}
