/* Mount namespaces that the spawner keeps for its tasks to enter. */
#pragma once
#include <stdbool.h>

/*
 * A new one, filled by `fill` in a child of ours (already private, with the host's mounts in view; it may
 * change everything), or -1. Never waits longer than some seconds: a source on a dead file server must cost
 * one task, not the spawner.
 */
int mount_namespace_make(bool fill(const void *context), const void *context);
