#pragma once

/* Parses requests from descriptor 0 and says on descriptor 1 what it thinks of each; for tests. The exit
 * code. */
int check_run(void);
