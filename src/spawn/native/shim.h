/* The parent of one task: forked by the spawner without exec, outlives it and the supervisor. */
#pragma once
#include "features.h"
#include "spec.h"

/* Runs in the new process and never returns. `replied` (shared with the spawner, may be NULL) is set when started or failed is said. */
_Noreturn void shim_run(const struct spec *spec, struct request *request, const struct host *host, volatile char *replied);
