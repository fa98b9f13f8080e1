#include "inherited.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "system.h"

/* Of these a small one ends or cripples whoever serves a task; the others are about the user, or about what
 * we do not do. */
static const int raised[] = {RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_AS, RLIMIT_RSS, RLIMIT_NOFILE};
enum { RAISED = sizeof raised / sizeof raised[0], SLACK_NS = 50000, IO_WHO_PROCESS = 1, KEEP_DOMAIN = 0xff };

/* Above the hard limit may only who has CAP_SYS_RESOURCE; nofile is never above fs.nr_open. */
static void raise_limit(int resource, const struct rlimit *before) {
  const struct rlimit max = {RLIM_INFINITY, RLIM_INFINITY}, own = {before->rlim_max, before->rlim_max};
  if (resource != RLIMIT_NOFILE && setrlimit(resource, &max) == 0) return;
  /* Refused: it stays as it is. */
  if (setrlimit(resource, &own) != 0) errno = 0;
}

void file_size_unlimited(struct rlimit *before) {
  signal(SIGXFSZ, SIG_IGN);
  if (getrlimit(RLIMIT_FSIZE, before) == 0) raise_limit(RLIMIT_FSIZE, before);
}

void file_size_limited(const struct rlimit *before) {
  if (setrlimit(RLIMIT_FSIZE, before) != 0) errno = 0;
}

/* Our own: nobody can tell from a task's waiting that it is us who wait. */
static void schedule_normally(void) {
  const struct sched_param none = {0};
  syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &none);
  setpriority(PRIO_PROCESS, 0, 0);
  syscall(SYS_ioprio_set, IO_WHO_PROCESS, 0, 0);
}

static bool schedule_as(const struct inherited *inherited) {
  const struct sched_param scheduling = {.sched_priority = inherited->priority};
  if (inherited->nice != 0 && setpriority(PRIO_PROCESS, 0, inherited->nice) != 0) return false;
  const bool same_io = syscall(SYS_ioprio_get, IO_WHO_PROCESS, 0) == inherited->io;
  if (inherited->io > 0 && !same_io && syscall(SYS_ioprio_set, IO_WHO_PROCESS, 0, inherited->io) != 0)
    return false;
  if (inherited->policy <= SCHED_OTHER || syscall(SYS_sched_getscheduler, 0) == inherited->policy)
    return true;
  return syscall(SYS_sched_setscheduler, 0, inherited->policy, &scheduling) == 0;
}

/*
 * What somebody with more privileges has given the caller (nice -5, a real-time policy) may be nobody's to
 * give back, neither by us nor by whoever has lost it. Then all of it stays. A child tries.
 */
static bool may_return(const struct inherited *inherited) {
  if (inherited->nice == 0 && inherited->policy == SCHED_OTHER && inherited->io <= 0) return true;
  const pid_t pid = sys_fork();
  if (pid == 0) {
    schedule_normally();
    _exit(schedule_as(inherited) ? 0 : 1);
  }
  int status = -1;
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool forget_personality(void) {
  const int now = personality(0xffffffff);
  return now > 0 && (now & ~KEEP_DOMAIN) != 0 && personality((unsigned long)now & KEEP_DOMAIN) >= 0;
}

/* Raw calls: the C libraries refuse to touch the signals they keep for themselves, and a parent may have
 * ignored those too. Zero is SIG_DFL. */
void signals_by_default(void) {
  static const char by_default[64];
  for (int number = 1; number <= 64; number++) syscall(SYS_rt_sigaction, number, by_default, NULL, 8);
  const uint64_t none = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
}

/* These are nobody's wish for a task: a debugger's, or an allocator's, for itself. */
static void forget_habits(void) {
  forget_personality();
  prctl(PR_SET_TIMERSLACK, SLACK_NS, 0, 0, 0);
  prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
  syscall(SYS_set_mempolicy, 0, NULL, 0);
}

void inherited_take(struct inherited *inherited) {
  for (int resource = 0; resource < RLIM_NLIMITS; resource++)
    getrlimit(resource, &inherited->limits[resource]);
  for (int i = 0; i < RAISED; i++) raise_limit(raised[i], &inherited->limits[raised[i]]);
  struct sched_param scheduling = {0};
  errno = 0;
  inherited->nice = getpriority(PRIO_PROCESS, 0);
  inherited->policy = (int)syscall(SYS_sched_getscheduler, 0);
  syscall(SYS_sched_getparam, 0, &scheduling);
  inherited->priority = scheduling.sched_priority;
  inherited->io = (int)syscall(SYS_ioprio_get, IO_WHO_PROCESS, 0);
  if (may_return(inherited)) schedule_normally();
  forget_habits();
  signal(SIGXFSZ, SIG_IGN);
  signal(SIGXCPU, SIG_IGN);
}

bool inherited_give_back(const struct inherited *inherited) {
  for (int i = 0; i < RAISED; i++)
    if (setrlimit(raised[i], &inherited->limits[raised[i]]) != 0) return false;
  return schedule_as(inherited);
}
