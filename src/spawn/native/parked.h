/*
 * Shims that are made before there is a task for them: session, keyring, signals, and PID 1 of a pid
 * namespace. A start fills one in. Each waits on a socket whose other end the spawner alone has, holds
 * nothing of the host or of the supervisor, and goes when that end does, whether the spawner has closed it
 * or died. docs/performance.md says what it is worth.
 */
#pragma once
#include "birth.h"
#include "features.h"
#include "spec.h"

enum { MAX_PARKED = 4, PARKED_KEEP_MS = 5000, MAX_HANDED = 64 << 10 };

struct parked {
  /* At most so many, and none longer than that after the starts that asked for it. */
  int max, keep_ms;
  struct parked_shim {
    pid_t pid;
    /* Its index among the bytes that shims share with the spawner. */
    int slot;
    /* -1: it has been told to go, and has not gone yet. */
    int socket;
  } shims[MAX_PARKED];
  int count;
  /* Boottime milliseconds of the last starts that one would have fitted, 0: none yet. */
  int64_t starts[MAX_PARKED + 1];
  unsigned next_start;
  /* What all of them were born with. */
  struct birth birth;
};

/* COUNT or COUNT,MILLISECONDS; false for anything else. */
bool parked_parse(const char *text, int *max, int *keep_ms);
/* Whether there is one too few for what was started lately. One start alone asks for none. */
bool parked_wants(const struct parked *parked, int64_t now);
/* One more, whose byte that is; false: nothing has been made. */
bool parked_make(struct parked *parked, const struct platform_info *platform, int slot, volatile char *word);
/*
 * Hands the request to one that waits: its pid, and its slot; from here on it is a shim as any other. 0:
 * there is none, or none that this request fits, and nobody has got it.
 */
pid_t parked_fill(struct parked *parked, const struct spec *spec, const struct request *request,
    volatile char *words, int *slot);
/* Those that are no longer asked for go. */
void parked_trim(struct parked *parked, int64_t now);
/* Milliseconds until there may be some; -1: there are none. */
int parked_until(const struct parked *parked, int64_t now);
/* Takes what waitpid said of one of them: true. *slot is free again where it is not -1. */
bool parked_take_status(struct parked *parked, pid_t pid, int status, int *slot);
/* All go, and are waited for a little. */
void parked_release(struct parked *parked);
