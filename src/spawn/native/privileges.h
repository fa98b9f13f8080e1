/* What a process may do from then on. */
#pragma once
#include "failure.h"
#include "spec.h"

/* Of the task's process, before exec: user and groups, then capabilities. The order inside is the kernel's:
 * see the comments. */
int drop_privileges(const struct spec *spec, struct failure *failure);

/*
 * Of our own, which are to have none. First: no program that is executed gains any, neither from its file nor
 * by being root, as far as we may say so. A change of user comes after this, since it takes away CAP_SETPCAP.
 */
void bound_capabilities(void);
/* Then: none is left, and no_new_privs is set. False: errno. */
bool clear_capabilities(void);
