/*
 * Runs in the shim: a log whose files are numbered upwards, NAME.0, NAME.1 and so on. The highest is the one
 * that is written, and none is ever renamed: who follows one by its name keeps it.
 */
#pragma once

/* Of the dot and the digits behind a name. */
enum { MAX_NUMBERED_SUFFIX = 11 };

/*
 * The file to go on with in `dir` (O_PATH): the highest of ours that is there, or a new NAME.0. Older ones
 * than the last `files` are removed. What a neighbour has put in their place is renamed to .NAME.N.planted.
 * Sets `number`; -1 with errno.
 */
int numbered_open(int dir, const char *name, int files, int *number);
/*
 * Makes the next file, behind `number`, which is moved on, and before that removes what is then too old. With
 * -1 and errno nothing is made and `number` is as it was.
 */
int numbered_next(int dir, const char *name, int files, int *number);
