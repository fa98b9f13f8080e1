/* What this process has the power to do. */
#pragma once
#include <stdbool.h>

/* Whether a capability (CAP_... of linux/capability.h) is in effect, in our own user namespace. */
bool may(unsigned capability);
