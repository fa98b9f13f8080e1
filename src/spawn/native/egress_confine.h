/* Runs in the forwarder before it hears a word of the task: what it is left with. */
#pragma once
#include <stdbool.h>

/* An account that no other process has: below the range that tasks of their own user come from. */
enum { EGRESS_USER = 1879048191 };

/*
 * No capabilities, no new privileges, a user of its own (where one can be had: in a user namespace of one
 * user it keeps that), not to be traced, and a filter of system calls that allows Internet sockets, the files
 * it reads of /etc, and memory. `landlock`: the kernel's version, 0 for none. False: errno.
 */
bool egress_confine(int landlock);
