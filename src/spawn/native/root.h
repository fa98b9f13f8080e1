/* The root that a task will see. */
#pragma once
#include "failure.h"
#include "spec.h"

/* Runs in the task's process, in its own mount namespace: builds the root, and enters it. With a prepared
 * root: what is left to do. */
int root_enter(const struct spec *spec, bool has_mount_setattr, struct failure *failure);
/* Runs in the task's process, in the host's namespace, which it leaves for the prepared root's. */
int root_join(const struct spec *spec, struct failure *failure);
/* Runs in a child of the spawner, in a private mount namespace: builds what tasks share, for good. Needs
 * mount_setattr. */
bool root_prepare(const struct spec *spec);
