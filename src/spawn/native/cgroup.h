/* The task's cgroups: made, emptied and removed by the shim, joined by the task's own process. */
#pragma once
#include <limits.h>
#include "failure.h"
#include "spec.h"

/* Runs in the shim. Makes each directory (its parents exist; `inside`: but for the last one), kills what an
 * earlier run left there, writes the files. */
int cgroups_create(const struct cgroup *cgroups, const char *freezer, bool inside, struct failure *failure);
/*
 * Runs in the shim: forks, where that can be had into the one of v2 among them, which `*joined` then is, in
 * the child as well; else NULL. The others are left to cgroups_join. `inside`: what is the task's may have
 * groups of exec sessions below it by now; then into the leaf where the task is.
 */
pid_t cgroups_fork(const struct cgroup *cgroups, bool inside, const struct cgroup **joined);
/* Runs in the task's process before exec. `joined`: where it is already. `inside`: as above. */
int cgroups_join(
    const struct cgroup *cgroups, const struct cgroup *joined, bool inside, struct failure *failure);
int cgroups_join_deferred(const struct cgroup *cgroups, struct failure *failure);

/* SIGKILL to every member once, by the surest means there is; true when there was none left. */
bool cgroup_kill(const char *dir, const char *freezer);
/* Calls visit with the pid of each member of it and of the groups below. */
void cgroup_members(const char *dir, void visit(pid_t pid, void *context), void *context);
/* Of this one alone, without the groups below. */
void cgroup_members_at(int directory, void visit(pid_t pid, void *context), void *context);
/* Removes the directory and what is below it, waiting a little for the kernel to let go of the last member.
 */
void cgroup_remove(const char *dir, const char *freezer);
/* Of an exec session's, whose task is ending: what it was made in, if that is empty. */
void cgroup_remove_place(const char *dir);
bool cgroup_is_v2(const char *dir);
/* False with errno. */
bool cgroup_parent(char parent[PATH_MAX], const char *dir);
bool cgroup_file_path(char path[PATH_MAX], const char *dir, const char *name);
bool cgroup_write(const char *dir, const char *name, const char *value);
/* The oom_kill line of memory.oom_control (v1) or memory.events (v2); -1 where there is none. What exec
 * sessions with limits of their own have met with is not in it. */
int64_t oom_kills(const char *file);
/* Of v1, where each group counts its own alone: those in the groups below that one's. */
int64_t oom_kills_below(const char *file);
/* A descriptor that is readable whenever memory is out in the cgroup of v1 whose memory.oom_control this is,
 * before the kernel has killed anybody; -1: errno says why there is none. */
int oom_watch(const char *file);
