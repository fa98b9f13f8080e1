/* The user namespace of a spawner without root's power: in it, it and the shims it forks may do for their
 * tasks what root does on the host. */
#pragma once
#include <stdbool.h>

/* Which users have a number inside: all; only our own; none, so that nobody can be become and no file system
 * of its own filled. */
enum mapped_ids { IDS_ALL, IDS_OWN, IDS_NONE };

/*
 * Runs once, before anything is forked. Users and groups keep their numbers; a mount namespace comes along,
 * since nothing may be mounted or cloned in one that belongs to the host. Whoever may become anybody may do
 * so inside, too; anybody else has only its own number. Root's is there only with CAP_SETFCAP, since
 * Linux 5.12. False: errno, and *step says what was refused.
 */
bool user_namespace_enter(enum mapped_ids *ids, const char **step);
