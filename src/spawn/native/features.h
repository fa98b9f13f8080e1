/* What this build and this kernel can do, and what the spawner was started with. Filled in once, read by
 * every shim. */
#pragma once
#include "inherited.h"
#include "seccomp.h"
#include "spec.h"
#include "text.h"

struct platform_info {
  bool has_openat2, has_mount_setattr, has_seccomp;
  /* No task can write to the file that we are executed from. */
  bool is_sealed;
  int oom_score_adj;
  struct inherited inherited;
  /* What shims run with. */
  int own_oom_score_adj;
  /* An eventfd: a shim that has said something in its byte (shim_word) calls the spawner by it. Unlike the
   * pipe for replies, it may be held for life. */
  int bell;
  /* For empty_namespace_enter; -1: PID 1 of a task stays where it is. */
  int empty_namespace;
  /* /dev/null through a read-only mount: the owner of an inode may change its mode by any descriptor, and a
   * task may be of root's user. */
  int null;
  /* Whose child every shim is, for as long as it lives. */
  pid_t spawner;
  /* Who started the spawner: whose descriptors `fd:N` means, unless the request names a donor. */
  struct identity supervisor;
  /* Of enforced_describe_self(): what shims are. */
  struct text own_facts;
  /* landlock_version(). */
  int landlock;
  /* The second for those who can trace nobody but themselves. */
  struct seccomp_program program, tracing;
};

enum { NATIVE_VERSION = 1 };
void platform_probe(struct platform_info *platform);
/* One line of JSON without its end. */
void platform_describe(const struct platform_info *platform, char *text, size_t size);
