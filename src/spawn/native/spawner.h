#pragma once
#include <stdbool.h>

/* Reads requests from descriptor 0 and forks a shim for each, until the end of file. `rootless`: all of it in
 * a user namespace. The exit code. */
int spawner_run(bool rootless);
