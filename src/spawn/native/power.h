/* What this process has the power to do. */
#pragma once
#include <stdbool.h>

/* Whether a capability (CAP_... of linux/capability.h) is in effect, in our own user namespace. */
bool may(unsigned capability);
/* From now on it is not, in this process; false: it is as it was. What it execs has it again. */
bool drop_effective(unsigned capability);

/* Whether our tasks are in no user namespace but ours: root's with all of its power (toIsolate in
 * src/powers.ts), in the host's own. */
bool isolates_on_the_host(void);
