/* PID 1 of the task's pid namespace. */
#pragma once

/* Reaps, and dies with the shim, taking the namespace along. */
_Noreturn void stub_run(int death_pipe, int empty_namespace);
