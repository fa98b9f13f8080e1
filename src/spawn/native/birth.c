#include "birth.h"
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "io.h"

enum { IO_OF_PROCESS = 1 };

static bool add_file(struct birth *birth, const char *path) {
  const size_t room = sizeof birth->files - birth->length;
  if (room < 2) return false;
  const ssize_t count = read_file_at(AT_FDCWD, path, birth->files + birth->length, room);
  /* A kernel may have been built without it: then nobody changes it. */
  if (count < 0) return true;
  birth->length += (size_t)count;
  return (size_t)count < room - 1;
}

bool birth_take(struct birth *birth) {
  /* Gaps too: it is compared byte by byte. */
  memset(birth, 0, sizeof *birth);
  for (int resource = 0; resource < RLIM_NLIMITS; resource++)
    if (getrlimit(resource, &birth->limits[resource]) != 0) return false;
  if (syscall(SYS_sched_getattr, 0, birth->scheduling, sizeof birth->scheduling, 0) != 0) return false;
  if (syscall(SYS_sched_getaffinity, 0, sizeof birth->cpus, birth->cpus) < 0) return false;
  birth->io = (int)syscall(SYS_ioprio_get, IO_OF_PROCESS, 0);
  birth->slack = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
  return add_file(birth, "/proc/self/cgroup") && add_file(birth, "/proc/self/oom_score_adj") &&
         add_file(birth, "/proc/self/coredump_filter");
}

OWN_FRAME bool birth_is_same(const struct birth *birth) {
  struct birth now;
  return birth_take(&now) && memcmp(&now, birth, sizeof now) == 0;
}
