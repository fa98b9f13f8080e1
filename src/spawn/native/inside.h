/* A running task seen from outside, by one that is to run inside of it. */
#pragma once
#include "failure.h"
#include "spec.h"

enum { ENTRANCES = 7 };
/* -1: it is where we are already. */
struct entrance {
  int namespaces[ENTRANCES];
};

/* Those of the process's namespaces that are not our own, opened while we still see it. */
int entrance_open(struct entrance *entrance, int process, struct failure *failure);
/* Goes through, with the root directory of the task where it has one. The pid namespace is only that of our
 * next child. */
int entrance_pass(struct entrance *entrance, struct failure *failure);
