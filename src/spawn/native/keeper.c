#include "keeper.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "io.h"

enum { MAX_TEXT = 1024 };

struct text {
  size_t used;
  char bytes[MAX_TEXT];
};

/* Every byte is the task's, and so is every byte that it shows: not even a newline is ours to add to. */
static bool make_raw(const struct termios *modes) {
  struct termios raw = *modes;
  cfmakeraw(&raw);
  return tcsetattr(0, TCSANOW, &raw) == 0;
}

/* A text that is too long for anything a terminal needs is none. Returns whether one has ended. */
static bool take(struct text *coming, struct text *last, const char *bytes, size_t count) {
  bool ended = false;
  for (size_t i = 0; i < count; i++) {
    if (bytes[i] != '\0') {
      if (coming->used < MAX_TEXT) coming->bytes[coming->used] = bytes[i];
      coming->used++;
      continue;
    }
    if (coming->used <= MAX_TEXT) *last = *coming;
    coming->used = 0;
    ended = true;
  }
  return ended;
}

int keeper_run(void) {
  static struct text coming, last;
  struct termios modes;
  char bytes[512];
  /* Whatever is sent to the group of the program that we are here for is not meant for us. */
  const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTOU, SIGPIPE};
  for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) signal(ignored[i], SIG_IGN);
  if (tcgetattr(0, &modes) != 0 || !make_raw(&modes) || !write_all(1, "", 1)) return 1;
  for (;;) {
    ssize_t count = read(1, bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    /* Whoever had the terminal while our program was stopped may have changed it. */
    if (take(&coming, &last, bytes, (size_t)count)) make_raw(&modes);
  }
  /* Not drained before: a terminal that somebody has stopped (Ctrl-S) would keep us for ever. */
  bool restored = tcsetattr(0, TCSANOW, &modes) == 0;
  write_all(0, last.bytes, last.used);
  return restored ? 0 : 1;
}
