/* The program's own file, out of reach of those who may see it through /proc/PID/exe. */
#pragma once
#include <stdbool.h>

/* Whether nobody can write to the file that we are executed from. */
bool seal_holds(void);
/* Executes this program anew from a copy that nobody can write to. Returns only when that cannot be had. */
void seal_self(char **argv);
