/* Runs in the shim: enforced.json (EnforcedRecord of machines/enforced-record.ts), what the kernel says is in
 * force of the task's process. */
#pragma once
#include <sys/types.h>
#include "spec.h"
#include "text.h"
#include "walls.h"

/* The facts of this process, from which every shim is forked: what a task's are compared with. */
void enforced_describe_self(struct text *text);

/*
 * Begins the record: what the files of the task's cgroups say. While the task's process sets itself up, which
 * costs it no time.
 */
void enforced_begin(struct text *text, const struct spec *spec, const struct text *own);
/*
 * Of a process that waits to exec, whose child-of-ours number cannot be another's: nothing but exec comes
 * after this, and that gives no more than its bounding set allows. `walls` is what it has read of itself,
 * which is still our code, and which nobody can trace or write to.
 */
void enforced_add_process(struct text *text, const struct spec *spec, pid_t pid, const struct walls *walls);
/* In one step, so that there is a whole one or none. False: errno. */
bool enforced_store(const struct text *text, int dir);
