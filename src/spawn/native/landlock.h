/* Runs in the task's process: Landlock, as far as it keeps the processes of a host, its tasks and their guests out of each other's memory. */
#pragma once
#include <stdbool.h>

/* The kernel's version of the interface; 0: it has none, or one too old for us. */
int landlock_version(void);
/*
 * Puts this process into a Landlock domain of its own. From then on it and its children can trace, read and write (ptrace(2), process_vm_readv(2),
 * pidfd_getfd(2), /proc/PID/mem, environ, fd and their like) only each other: the kernel refuses whoever is not in that domain or one below it,
 * whatever user and capabilities both have (Linux, security/landlock/task.c). `signals`: and they can signal only each other, where the kernel
 * has that (version 6). Nothing else changes. Needs no_new_privs or CAP_SYS_ADMIN. False: it could not be.
 */
bool landlock_own_domain(bool signals);
