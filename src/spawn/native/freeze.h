/* Programs that run with their owner's rights, in a directory where a task may write. */
#pragma once
#include <stdbool.h>

/*
 * Makes each of them beneath a directory read-only by a mount of its own: what is written to such a file
 * takes its rights away, but not what is written by way of a shared mapping (mmap(2)). False: errno; ELOOP
 * where the tree is too deep to look through.
 */
bool freeze_programs(int directory);
