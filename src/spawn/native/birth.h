/*
 * What a process that is forked now would be born with and somebody else can change in us at any time: limits
 * (prlimit), scheduling (renice, chrt, taskset, ionice), the cgroups that we are in, oom_score_adj. What was
 * forked before such a change is not what a fork after it would be.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

enum { MAX_BIRTH_FILES = 4096, MAX_BIRTH_CPUS = 8192, BIRTH_SCHEDULING = 56 };

struct birth {
  struct rlimit limits[RLIM_NLIMITS];
  /* struct sched_attr: policy, nice, priority, clamps. */
  char scheduling[BIRTH_SCHEDULING];
  unsigned char cpus[MAX_BIRTH_CPUS / 8];
  int io, slack;
  /* /proc/self/cgroup, oom_score_adj, coredump_filter, one after the other. */
  size_t length;
  char files[MAX_BIRTH_FILES];
};

/* False: it cannot be told whole. */
bool birth_take(struct birth *birth);
bool birth_is_same(const struct birth *birth);
