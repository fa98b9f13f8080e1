/* Runs in the task's process, where everything is as its program will see it. */
#pragma once
#include "failure.h"
#include "spec.h"

/*
 * Becomes the program. One with a slash in its name is taken as it is; any other is looked for on the PATH
 * among `env` as execvp(3) does, but without a shell for what is no program (ENOEXEC), as posix_spawn(3).
 * Returns only when it cannot; then the failure names what was looked for, and where.
 */
void program_execute(const struct spec *spec, struct failure *failure);
