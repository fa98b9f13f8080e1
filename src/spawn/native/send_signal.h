/* The mode `signal`: for who has lost the way to a shim, or outlived it. */
#pragma once

/* PID, its start time (field 22 of /proc/PID/stat), and the signal's number, as text. Exit code: 0 sent, 1 gone or not ours, 2 misuse or no means. */
int signal_run(const char *pid, const char *start, const char *number);
