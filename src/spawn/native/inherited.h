/*
 * What a process is born with, by whoever starts the supervisor. Each is put back to a sane value in our own processes (spawner, shim, PID 1),
 * which serve tasks of which that somebody knows nothing, and is passed on to the task or put back for it too:
 *
 * |                                   | our own processes                  | the task                                  |
 * | --------------------------------- | ---------------------------------- | ----------------------------------------- |
 * | cpu, fsize, data, as, rss, nofile | as high as we may                  | the caller's, unless `rlimits` names them |
 * | other rlimits                     | the caller's                       | the caller's, unless `rlimits` names them |
 * | nice, scheduling, I/O priority    | normal, where we may               | the caller's, unless `nice` is given      |
 * | processors (affinity)             | the caller's                       | the caller's, narrowed by `cpuset`        |
 * | oom_score_adj                     | -1000, where we may                | the caller's, unless `oomScoreAdj`        |
 * | signals ignored or blocked        | SIGPIPE, SIGXFSZ, SIGXCPU ignored  | none                                      |
 * | umask                             | 022                                | `umask`, 022                              |
 * | personality flags                 | none                               | none: addresses are random                |
 * | timer slack                       | 50 us                              | 50 us                                     |
 * | no huge pages, memory policy      | off, default                       | off, default                              |
 * | descriptors                       | none but ours                      | 0 to 2                                    |
 * | session, terminal                 | its own, none                      | its own, none (or `terminal`)             |
 * | session keyring                   | its own, empty                     | its own, empty                            |
 * | working directory                 | /                                  | `cwd`                                     |
 * | environment, locale               | empty                              | `env`                                     |
 * | subreaper, parent-death signal    | the shim's; none                   | none (Basic: SIGKILL with its shim)       |
 * | dumpable, securebits              | not, as given                      | by exec; as the capabilities ask          |
 * | coredump_filter, cgroup           | the caller's                       | the caller's; its own cgroups             |
 */
#pragma once
#include <stdbool.h>
#include <sys/resource.h>

struct inherited {
  struct rlimit limits[RLIM_NLIMITS];
  int nice, policy, priority, io;
};

/* For our own processes, once, before any is forked. */
void inherited_take(struct inherited *inherited);
/* For the task's process, before what its own request says, and while still privileged. Errno says which could not be. */
bool inherited_give_back(const struct inherited *inherited);
/* While something is written whose size the caller's limit is not about: writing past it is then an error and no death. */
void file_size_unlimited(struct rlimit *before);
void file_size_limited(const struct rlimit *before);
