/* A process by its directory in /proc, and whether it goes on. */
#pragma once
#include <stdbool.h>
#include "spec.h"

/* Its directory in /proc, which belongs to this very process and never to a later one of its number. -1: it
 * is gone, ESRCH, or its number is that of one whom /proc hides (hidepid), EACCES. */
int process_open(const struct identity *identity);
/* False for a zombie, all of whose threads have ended: it holds nothing. */
bool process_is_alive(const struct identity *identity);
/* From the moment it is killed or begins to exit; then the kernel kills what is in its pid namespace, if it
 * is PID 1 of one. */
bool process_is_ending(int process);
/*
 * The directory of a thread that goes on: the first, and where that has ended (pthread_exit(3) in main)
 * another, for what a thread that has ended had is gone from the directory of its process. -1: the process
 * ends, ESRCH.
 */
int process_open_thread(int process);
