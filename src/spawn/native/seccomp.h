/* The deny-list of system calls no ordinary program needs, as a BPF program built by hand. */
#pragma once
#include <linux/filter.h>
#include "failure.h"

/*
 * CALL_TRACE: what reaches into other processes; refused, or allowed where those can only be the task's own.
 * CALL_MODE_n: argument n is a file's mode. CALL_OPEN_n: argument n has an open's flags, and the next the
 * mode of what it makes.
 */
enum call_action {
  CALL_ALLOW,
  CALL_REFUSE,
  CALL_TRACE,
  CALL_MISSING,
  CALL_CLONE,
  CALL_IOCTL,
  CALL_SOCKET,
  CALL_SOCKETCALL,
  CALL_MODE_1,
  CALL_MODE_2,
  CALL_OPEN_1,
  CALL_OPEN_2,
  CALL_OFFLINE_SOCKET,
  CALL_OFFLINE_SOCKETPAIR,
  CALL_OFFLINE_SOCKETCALL,
  CALL_ACTIONS,
};

struct call {
  unsigned number;
  enum call_action action;
};

/* seccomp_i386.c: the same calls by their numbers on i386, which an x86_64 kernel also takes (int 0x80). */
size_t seccomp_calls_i386(struct call *calls, size_t max);

enum { MAX_SECCOMP_PROGRAM = 2048 };
struct seccomp_program {
  size_t length;
  struct sock_filter code[MAX_SECCOMP_PROGRAM];
};

/* Runs in the spawner, once for each. `tracing`: CALL_TRACE is allowed. False where this architecture has no
 * table. */
bool seccomp_build(struct seccomp_program *program, bool tracing);
/* Runs in the task's process. */
int seccomp_install(const struct seccomp_program *program, struct failure *failure);
/* One more, beside that: no sockets but those of unix and netlink can be made. */
int seccomp_install_offline(struct failure *failure);
