/* The task's cgroups: made, emptied and removed by the shim, joined by the task's own process. */
#pragma once
#include "failure.h"
#include "spec.h"

/* Runs in the shim. Makes each directory (its parents exist; `inside`: but for the last one), kills what an
 * earlier run left there, writes the files. */
int cgroups_create(const struct cgroup *cgroups, const char *freezer, bool inside, struct failure *failure);
/*
 * Runs in the shim: forks, where that can be had into the one of v2 among them, which `*joined` then is, in
 * the child as well; else NULL. The others are left to cgroups_join.
 */
pid_t cgroups_fork(const struct cgroup *cgroups, const struct cgroup **joined);
/* Runs in the task's process before exec. `joined`: where it is already. */
int cgroups_join(const struct cgroup *cgroups, const struct cgroup *joined, struct failure *failure);
int cgroups_join_deferred(const struct cgroup *cgroups, struct failure *failure);

/* SIGKILL to every member once, by the surest means there is; true when there was none left. */
bool cgroup_kill(const char *dir, const char *freezer);
/* Calls visit with the pid of each member of it and of the groups below. */
void cgroup_members(const char *dir, void visit(pid_t pid, void *context), void *context);
/* Removes the directory and what is below it, waiting a little for the kernel to let go of the last member.
 */
void cgroup_remove(const char *dir, const char *freezer);
/* Of an exec session's, whose task is ending: what it was made in, if that is empty. */
void cgroup_remove_place(const char *dir);
/* The oom_kill line of memory.oom_control (v1) or memory.events (v2); -1 where there is none. */
int64_t oom_kills(const char *file);
/* Of v1, where each group counts its own alone: those in the groups below that one's. */
int64_t oom_kills_below(const char *file);
/* A descriptor that is readable whenever memory is out in the cgroup of v1 whose memory.oom_control this is,
 * before the kernel has killed anybody; -1: errno says why there is none. */
int oom_watch(const char *file);
