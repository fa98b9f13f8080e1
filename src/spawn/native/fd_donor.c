#include "fd_donor.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "process.h"
#include "record.h"

/* Null, or what was refused, with errno. */
static const char *enter(const struct identity *spawner) {
  _cleanup_fd_ int process = process_open(spawner);
  if (process < 0) return "the spawner";
  _cleanup_fd_ int namespace = openat(process, "ns/user", O_RDONLY | O_CLOEXEC);
  if (namespace < 0) return "the spawner's user namespace";
  if (setns(namespace, CLONE_NEWUSER) != 0) return "setns user";
  /* Gaining capabilities has made us undumpable, and what is that shows its descriptors to nobody from below.
   * A task has fewer capabilities than we. */
  return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 ? NULL : "dumpable";
}

int donate_run(const char *pid, const char *start, const char *control) {
  int64_t spawner, began, fd;
  if (!parse_number(pid, 1, INT32_MAX, &spawner) || !parse_number(start, 0, INT64_MAX, &began) ||
      !parse_number(control, 0, MAX_DESCRIPTOR, &fd)) {
    dprintf(2, "holdfast-native: donate takes a pid, a start time and a descriptor\n");
    return 2;
  }
  const char *refused = enter(&(struct identity){(pid_t)spawner, (uint64_t)began});
  if (refused != NULL) {
    dprintf((int)fd, "failed %d %s\n", errno, refused);
    return 1;
  }
  if (dprintf((int)fd, "donates %" PRIu64 "\n", identify(getpid()).start) < 0) return 2;
  char byte;
  ssize_t count;
  do count = read((int)fd, &byte, 1);
  while (count > 0 || (count < 0 && errno == EINTR));
  return count == 0 ? 0 : 2;
}
