/* The lines to the supervisor. Each is one write of at most REPLY_MOST bytes, for shims and spawner share the pipe. */
#pragma once
#include "failure.h"

enum { REPLY_MOST = 4096 };

/* The line's length. */
size_t reply_failed(char line[REPLY_MOST], int id, const struct failure *failure);
