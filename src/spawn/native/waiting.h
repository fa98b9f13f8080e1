/* The mode `waiting`: what no program learns by reading without taking it from who reads next. */
#pragma once

/* Exit code: 0 if standard input is a file, pipe or socket with bytes that nobody has read, 1 if it is
 * anything else. */
int waiting_run(void);
