/* The user namespace of an ordinary user's spawner: in it, it and the shims it forks may do for their tasks what root does on the host. */
#pragma once
#include <stdbool.h>

/*
 * Runs once, before anything is forked. User and group keep their numbers, the only ones there are inside; a mount namespace comes along, since
 * nothing may be mounted or cloned in one that belongs to the host. False: errno, and *step says what was refused.
 */
bool user_namespace_enter(const char **step);
