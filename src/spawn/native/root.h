/* Runs in the task's process, in its own mount namespace: builds the root it will see, and enters it. */
#pragma once
#include "failure.h"
#include "spec.h"

int root_enter(const struct spec *spec, bool has_mount_setattr, struct failure *failure);
