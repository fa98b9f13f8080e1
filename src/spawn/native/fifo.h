/* The mode `fifo`: Node has no mkfifo(3), and not every host has mkfifo(1). */
#pragma once

/* Makes FIFOs, 0600; `paths` ends with NULL. Exit code: 0, or 1 after a line `ERRNO WORDS` on standard error.
 * What was made before stays. */
int fifo_run(char *const *paths);
