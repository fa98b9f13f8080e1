/* Finds files of the host by paths that a task, or another user, could have had a hand in. */
#pragma once
#include <stdbool.h>

/*
 * open(2) of an absolute path that follows only links that nobody but root and we could have made: one in an
 * allocation (known by the `alloc/logs` that no task can take away), in a directory of somebody else's or
 * that others may write in, or that /proc makes up, is refused with ELOOP, and walk_refused() names it. By
 * descriptors from the root on, so that what was looked at is what is opened. `inside` says whether the file
 * lies in an allocation; NULL: that does not matter.
 */
int open_trusted(const char *path, int flags, bool *inside);

/* The link that the last open_trusted() refused, as ": PATH is a link ..."; empty when it failed otherwise.
 */
const char *walk_refused(void);
