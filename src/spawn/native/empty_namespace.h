/* Where PID 1 of a task's namespace lives: a mount namespace with nothing in it, the same for all tasks of a
 * spawner. */
#pragma once
#include <stdbool.h>

/* Runs in the spawner, once. The namespace's descriptor, or -1 where it cannot be made. */
int empty_namespace_make(void);
/* Runs in a mount namespace of its own: leaves nothing in it. False with errno. */
bool empty_namespace_pivot(const void *nothing);
/* Runs in PID 1: goes there and gives up every privilege. False when it could not. */
bool empty_namespace_enter(int empty_namespace);
