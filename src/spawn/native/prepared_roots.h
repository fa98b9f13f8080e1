/*
 * Roots of tasks, put together but for what is a task's own, each in a mount namespace of its own: a task
 * enters one and unshares a copy. Nobody can write there: the file system itself is read-only, and only tasks
 * without capabilities, who cannot change that, are let in.
 */
#pragma once
#include "features.h"
#include "spec.h"

enum { MAX_PREPARED_ROOTS = 4 };

struct prepared_roots {
  /* `namespace` is -1 where making it failed: such a task is put together alone. */
  struct prepared_root {
    char *text;
    size_t size;
    int namespace;
  } kept[MAX_PREPARED_ROOTS];
  unsigned next;
};

/* Runs in the spawner. The namespace's descriptor, which stays the spawner's, or -1. */
int prepared_root_for(
    struct prepared_roots *roots, const struct spec *spec, const struct platform_info *platform);
void prepared_roots_release(struct prepared_roots *roots);
