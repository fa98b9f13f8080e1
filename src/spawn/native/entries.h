/* What one directory has and another has not. */
#pragma once
#include <limits.h>
#include <stdbool.h>

/*
 * Shows each entry of `source`, a directory of the host's, in `target`, one of a root that is being put
 * together: mounted there read-only, a link as a link. What has a place in `target` already stays as it is,
 * and what goes meanwhile is left out. False: errno, and `failed` is the entry.
 */
bool entries_show(int source, int target, bool has_mount_setattr, char failed[NAME_MAX + 1]);
