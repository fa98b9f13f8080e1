/* The mode `disk project`: bounds of what lies in a directory by the project quota of its file system. */
#pragma once

/*
 * `arguments` ends with NULL: try ID BYTES DIR, give ID BYTES DIR..., limit ID BYTES DIR, free ID DIR, or
 * left FIRST LAST DIR, which prints a line for each number. Exit code 0, 2 for a mistaken call, or 1 after a
 * line `ERRNO STEP` on standard output.
 */
int project_run(char **arguments);
