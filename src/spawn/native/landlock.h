/*
 * Runs in the task's process: Landlock, which keeps the processes of a host, its tasks and their exec
 * sessions out of each other's memory, and a task away from all files but those that its plan shows.
 */
#pragma once
#include <stdbool.h>
#include "failure.h"
#include "spec.h"

/* The first version that restricts TCP. */
enum { LANDLOCK_OF_TCP = 4 };

/* The kernel's version of the interface; 0: it has none, or one too old for us. */
int landlock_version(void);
/*
 * A domain to be entered by landlock_enter(), or -1. From then on the process and its children
 * - can trace, read and write (ptrace(2), process_vm_readv(2), pidfd_getfd(2), /proc/PID/mem, environ, fd and
 * their like) only each other: the kernel refuses whoever is not in that domain or one below it, whatever
 * user and capabilities both have (Linux, security/landlock/task.c);
 * - with `landlock` options, can open only what those name, and what standard input, output and error are;
 * - with `landlock-scope`, can signal, or connect to abstract sockets of, only each other, where the kernel
 * has that (version 6);
 * - with `offline`, can bind and connect no TCP socket, whoever has handed it to it, where the kernel has
 * that (version 4). Built while nothing is given up: paths are opened, without following links. Options that
 * cannot be had are a failure; without them -1 is none.
 */
int landlock_build(const struct spec *spec, int version, struct failure *failure);
/* Needs no_new_privs or CAP_SYS_ADMIN. False: errno. */
bool landlock_enter(int ruleset);
