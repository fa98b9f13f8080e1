/*
 * What a process is born with, by whoever starts the supervisor. Each is put back to a sane value in our own
 * processes (spawner, shim, PID 1), which serve tasks of which that somebody knows nothing, and is passed on
 * to the task or put back for it too: docs/inherited-state.md, row by row.
 */
#pragma once
#include <stdbool.h>
#include <sys/resource.h>

struct inherited {
  struct rlimit limits[RLIM_NLIMITS];
  int nice, policy, priority, io;
};

/* All 64 dispositions of this process, and none is blocked. */
void signals_by_default(void);
/* Fixed addresses, executable data and the like. True: there was something to forget, which is in our own
 * memory until exec. */
bool forget_personality(void);
/* For our own processes, once, before any is forked. */
void inherited_take(struct inherited *inherited);
/* For the task's process, before what its own request says, and while still privileged. Errno says which
 * could not be. */
bool inherited_give_back(const struct inherited *inherited);
/* While something is written whose size the caller's limit is not about: writing past it is then an error and
 * no death. */
void file_size_unlimited(struct rlimit *before);
void file_size_limited(const struct rlimit *before);
