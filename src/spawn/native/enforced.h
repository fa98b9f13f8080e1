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
/* Files of /proc on the task's process; -1: not open. */
struct process_files {
  int cgroup, limits, status;
};
#define NO_PROCESS_FILES {-1, -1, -1}

/* A line of groups has up to 65536 numbers; of a longer one the record says nothing. */
enum { MAX_PROCESS_FILE = 4096, MAX_STATUS = 32768 };

/* What is in them; empty: it could not be read. */
struct process_facts {
  char cgroup[MAX_PROCESS_FILE], limits[MAX_PROCESS_FILE], status[MAX_STATUS];
};

/* While it sets itself up, too: to look a file of /proc up takes longer than to read it. Of a child that has
 * not been reaped, whose number cannot be another's. */
void enforced_open_process(struct process_files *files, const struct spec *spec, pid_t pid);
/* Of a process that waits to exec: nothing but exec comes after this, and that gives no more than its
 * bounding set allows. It waits for this alone. */
void enforced_read_process(struct process_files *files, struct process_facts *facts);
/* `walls` is what it has read of itself, by our code, while nobody could trace it or write to it. */
void enforced_add_process(struct text *text, struct process_facts *facts, const struct walls *walls);
/* In one step, so that there is a whole one or none. False: errno. */
bool enforced_store(const struct text *text, int dir);
