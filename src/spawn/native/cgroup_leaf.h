/*
 * A cgroup of v2 that passes a controller on has no processes of its own ("no internal processes",
 * cgroup-v2.rst). A task is in its cgroup until one of its exec sessions is to have limits of its own, in a
 * group below; then all of it moves to a leaf beside that, and stays there. Its limits stay where they are,
 * above both.
 */
#pragma once
#include <limits.h>
#include "failure.h"
#include "spec.h"

/* Runs in the shim of an exec session, before its group is made; nothing on v1. */
int cgroup_make_room(const struct cgroup *session, struct failure *failure);
/* Where the task whose cgroup this is has moved to, or would. */
bool cgroup_leaf(char path[PATH_MAX], const char *dir);
/* Once it is empty. False: there is none. */
bool cgroup_remove_leaf(const char *dir);
