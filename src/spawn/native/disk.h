/* The mode `disk`: a file as a file system of a bounded size, on a loop device that goes with its last mount;
 * and `disk project` (project.h), directories of a bounded size. */
#pragma once

/* `arguments` ends with NULL: mount IMAGE DIR BYTES, grow IMAGE DIR BYTES, show IMAGE DIR, unmount DIR, or
 * try BYTES, of the image that descriptor 0 is, in a mount namespace of its own. Exit code 0, 2 for a
 * mistaken call, or 1 after a line `ERRNO STEP` on standard output. */
int disk_run(char **arguments);
/* Prints the line `ERRNO STEP`. The exit code of what has failed. */
int disk_complain(const char *step);
