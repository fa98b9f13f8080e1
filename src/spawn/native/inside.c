#include "inside.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "record.h"

/* The mounts last: with them goes our view of everything else. */
static const struct { const char path[12]; int flag; } known[ENTRANCES] = {
  {"ns/cgroup", CLONE_NEWCGROUP}, {"ns/ipc", CLONE_NEWIPC}, {"ns/uts", CLONE_NEWUTS},
  {"ns/net", CLONE_NEWNET},       {"ns/pid", CLONE_NEWPID}, {"ns/mnt", CLONE_NEWNS},
};

int process_open(const struct identity *identity) {
  char path[32], stat[1024];
  snprintf(path, sizeof path, "/proc/%d", identity->pid);
  _cleanup_fd_ int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  /* Asked after it was opened: whoever has the number later is not in this directory. */
  bool same = process >= 0 && read_file_at(process, "stat", stat, sizeof stat) > 0 && stat_number(stat, 22) == identity->start;
  if (!same) return errno = ESRCH, -1;
  int kept = process;
  process = -1;
  return kept;
}

bool process_is_ending(int process) {
  enum { FLAGS = 9, EXITING = 0x4, PENDING = 31, KILLED = 1 << (SIGKILL - 1) };
  char stat[1024];
  if (read_file_at(process, "stat", stat, sizeof stat) <= 0) return true;
  return (stat_number(stat, FLAGS) & EXITING) != 0 || (stat_number(stat, PENDING) & KILLED) != 0;
}

static bool is_same(int fd, const char *path) {
  struct stat there, ours;
  return fstat(fd, &there) == 0 && stat(path, &ours) == 0 && there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}

/*
 * A task that may make user namespaces could have moved into mounts of its own making, where every program is what it likes. A network may be
 * lent by whomever. Before Linux 4.9 the owner cannot be asked for.
 */
static bool is_of_our_owner(int namespace, int flag) {
  if (flag == CLONE_NEWNET) return true;
  _cleanup_fd_ int owner = ioctl(namespace, NS_GET_USERNS);
  return owner < 0 ? errno == ENOTTY : is_same(owner, "/proc/self/ns/user");
}

int entrance_open(struct entrance *entrance, int process, struct failure *failure) {
  for (size_t i = 0; i < ENTRANCES; i++) entrance->namespaces[i] = -1;
  for (size_t i = 0; i < ENTRANCES; i++) {
    int *namespace = &entrance->namespaces[i];
    char ours[32];
    snprintf(ours, sizeof ours, "/proc/self/%.12s", known[i].path);
    *namespace = openat(process, known[i].path, O_RDONLY | O_CLOEXEC);
    /* A kernel without this kind has none to enter. */
    if (*namespace < 0 && errno == ENOENT && access(ours, F_OK) != 0) continue;
    if (*namespace < 0) return fail(failure, STAGE_NAMESPACE, errno, "%s of the task", known[i].path);
    if (is_same(*namespace, ours)) close_fd(namespace);
    else if (!is_of_our_owner(*namespace, known[i].flag))
      return fail(failure, STAGE_NAMESPACE, EPERM, "%s of the task is not the one it was started with", known[i].path);
  }
  return 0;
}

int entrance_pass(struct entrance *entrance, struct failure *failure) {
  for (size_t i = 0; i < ENTRANCES; i++) {
    if (entrance->namespaces[i] < 0) continue;
    if (setns(entrance->namespaces[i], known[i].flag) != 0) return fail(failure, STAGE_NAMESPACE, errno, "%s of the task", known[i].path);
    close_fd(&entrance->namespaces[i]);
  }
  return 0;
}
