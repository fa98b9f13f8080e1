#pragma once

/* Reads requests from descriptor 0 and forks a shim for each, until the end of file. The exit code. */
int spawner_run(void);
/* Parses requests from descriptor 0 and says on descriptor 1 what it thinks of each. The exit code. */
int check_run(void);
