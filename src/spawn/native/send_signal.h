/* The mode `signal`: for who has lost the way to a shim, or outlived it. */
#pragma once

/*
 * PID, its start time (field 22 of /proc/PID/stat), the signal's number and, where it is not NULL, the value
 * that goes with it (sigqueue(3)), as text. Exit code: 0 sent, 1 gone or not ours, 2 misuse or no means.
 */
int signal_run(const char *pid, const char *start, const char *number, const char *value);
