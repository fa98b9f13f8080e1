#pragma once
#include <stdbool.h>

/*
 * Tries, in children, each thing that isolating a task takes, and prints one line of JSON: for each 0, or the errno with which it was refused.
 * `rootless`: from inside a user namespace of its own. The exit code.
 */
int probe_run(bool rootless);
