/* The parent of one task: forked by the spawner without exec, outlives it and the supervisor. */
#pragma once
#include "features.h"
#include "spec.h"

/* What a shim has said, in the byte that it shares with the spawner: nothing, `started` or `failed`, that the
 * exit record is in place; and that the last was passed on. Before all that, of one that was made before
 * there was a task for it: that it waits for a request. */
enum shim_word { SHIM_SILENT, SHIM_ANSWERED, SHIM_RECORDED, SHIM_END_REPORTED, SHIM_PARKED };

/* Runs in the new process and never returns. `word` (shared with the spawner, may be NULL) is an enum
 * shim_word. */
_Noreturn void shim_run(const struct spec *spec, struct request *request,
    const struct platform_info *platform, volatile char *word);
/* The same for one that is parked (parked.h): the request comes through the socket, which is its own. */
_Noreturn void shim_park(int socket, const struct platform_info *platform, volatile char *word);
