/* Holds descriptors where an ordinary user's spawner and its shims may open them: in their user namespace. */
#pragma once

/*
 * The kernel shows a process's descriptors to whoever has all its capabilities in its user namespace, which
 * nobody has in the supervisor's. We inherit them from it and go where the spawner is. `pid` and `start` are
 * the spawner's; `control` is a descriptor that gets one line, `donates START` (our own start time) or
 * `failed ERRNO WHAT`, and whose end of file ends us.
 */
int donate_run(const char *pid, const char *start, const char *control);
