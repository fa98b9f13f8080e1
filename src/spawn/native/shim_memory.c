#include "shim_state.h"
#include <errno.h>
#include <unistd.h>
#include "cgroup.h"

/* Where nobody counts whom the kernel kills, there is nothing to go by. */
int shim_watch_memory(struct shim *shim) {
  if (shim->spec->oom == OOM_LEFT || shim->oom_before < 0) return 0;
  shim->oom_seen = shim->oom_before;
  shim->oom_takes_all = shim->spec->oom == OOM_TASK;
  shim->oom_event = oom_watch(shim->oom_file);
  return shim->oom_event >= 0 ? 0 : fail(&shim->failure, STAGE_CGROUP, errno, "%s: watch", shim->oom_file);
}

/*
 * The kernel has told us that the memory of the task is out, and not that of an exec session alone, and may
 * have chosen somebody of a session, whose own cgroup counts him. A session's own want ends it, and its
 * counter with it; but it may come a moment after ours, and a kill long after we were told is not ours.
 */
static bool killed_in_session(struct shim *shim, int64_t waited) {
  if (waited >= OOM_BELOW_MS) return false;
  int64_t below = oom_kills_below(shim->oom_file), more = below - shim->oom_below;
  shim->oom_below = below;
  if (more > 0) shim->oom_of_sessions += more;
  return more > 0;
}

void shim_check_memory(struct shim *shim) {
  int64_t now = boottime_ms(), waited = now - shim->oom_since;
  if (shim->oom_look == 0 || now < shim->oom_look) return;
  shim->oom_look = waited >= MAX_OOM_MS ? 0 : now + (waited < OOM_SOON_MS ? 1 : OOM_LATER_MS);
  int64_t count = oom_kills(shim->oom_file);
  if (count <= shim->oom_seen && !killed_in_session(shim, waited)) return;
  shim->oom_seen = count;
  shim->oom_look = 0;
  if (!shim->oom_takes_all || shim->record.stop.forced_at != 0) return;
  /* It is the kernel's kill, made whole, and no stop that anybody has asked for. */
  shim_earlier(&shim->give_up, now + MAX_KILL_MS);
  tree_kill(&shim->tree);
}

/* It is told before the kernel chooses whom to kill, and does not tell when it has. */
void shim_hear_of_memory(struct shim *shim) {
  uint64_t count;
  if (read(shim->oom_event, &count, sizeof count) < 0) {
    if (errno != EAGAIN && errno != EINTR) close_fd(&shim->oom_event);
    return;
  }
  shim->oom_since = shim->oom_look = boottime_ms();
}
