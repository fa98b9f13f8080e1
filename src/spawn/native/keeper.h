/* The mode `terminal`: makes a terminal raw for another program, and puts it back when that has ended,
 * however that came. */
#pragma once

/*
 * Descriptor 0 is the terminal, 1 a socket. One byte says that it is raw. What comes back, each text ended by
 * NUL, takes the place of the one before, and makes it raw once more; at the end of file the last is written
 * to the terminal, and its modes are set again. Exit code 0: done, 1: it is no terminal, or has gone.
 */
int keeper_run(void);
