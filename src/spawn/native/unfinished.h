/*
 * What an apply that is killed can leave in the host's directory: one entry under a name of its own, on its
 * way to its place. Where it is stands in the overlay's own directory, and whoever comes next removes it.
 */
#pragma once
#include <stdbool.h>

enum { TEMPORARY_SIZE = 32 };

/* The record, open to be written; -1: errno. */
int unfinished_open(int own);
/* A name that nobody can have guessed, for what comes to `path`; written down before anything has it. */
bool unfinished_note(int record, const char *path, char name[TEMPORARY_SIZE]);
/* Removes from `host`, the top, what was noted and is still there, and then the record. False: errno. */
bool unfinished_remove(int own, int host);
