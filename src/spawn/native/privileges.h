/* Runs in the task's process before exec: what it may do from then on. */
#pragma once
#include "failure.h"
#include "spec.h"

/* User and groups, then capabilities. The order inside is the kernel's: see the comments. */
int drop_privileges(const struct spec *spec, struct failure *failure);
