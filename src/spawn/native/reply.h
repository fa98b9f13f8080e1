/* The lines to the supervisor. Each is one write of at most MAX_REPLY bytes, for shims and spawner share the
 * pipe. */
#pragma once
#include "failure.h"

enum { MAX_REPLY = 4096 };

/* The line's length. */
size_t reply_failed(char line[MAX_REPLY], int id, const struct failure *failure);
