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
#include "power.h"
#include "process.h"

/* The user namespace first: in it we may enter the others. The mounts last: with them goes our view of
 * everything else. */
static const struct {
  const char path[12];
  int flag;
} known[ENTRANCES] = {
    {"ns/user", CLONE_NEWUSER},
    {"ns/cgroup", CLONE_NEWCGROUP},
    {"ns/ipc", CLONE_NEWIPC},
    {"ns/uts", CLONE_NEWUTS},
    {"ns/net", CLONE_NEWNET},
    {"ns/pid", CLONE_NEWPID},
    {"ns/mnt", CLONE_NEWNS},
};

static bool is_same(int fd, const struct stat *there) {
  struct stat ours;
  return fstat(fd, &ours) == 0 && there->st_dev == ours.st_dev && there->st_ino == ours.st_ino;
}

/*
 * Made by a spawner of this user's, from where we are: whoever has not root's power has all its tasks in one,
 * so that what a task makes is a child of that one. Before Linux 4.9 the parent cannot be asked for.
 */
static bool is_of_a_spawner(int user_namespace, const struct stat *ours) {
  _cleanup_fd_ int parent = ioctl(user_namespace, NS_GET_PARENT);
  uid_t owner;
  return parent >= 0 && is_same(parent, ours) && ioctl(user_namespace, NS_GET_OWNER_UID, &owner) == 0 &&
         owner == geteuid();
}

/*
 * A task that may make user namespaces could have moved into mounts of its own making, where every program is
 * what it likes. A network may be lent by whomever. Before Linux 4.9 the owner cannot be asked for.
 */
static bool is_owned_by(int namespace, int flag, const struct stat *user_namespace) {
  if (flag == CLONE_NEWNET) return true;
  _cleanup_fd_ int owner = ioctl(namespace, NS_GET_USERNS);
  return owner < 0 ? errno == ENOTTY : is_same(owner, user_namespace);
}

static int open_one(
    struct entrance *entrance, size_t i, int thread, struct stat *user_namespace, struct failure *failure) {
  int *namespace = &entrance->namespaces[i];
  const char *path = known[i].path;
  char own[32];
  struct stat ours;
  bool user = known[i].flag == CLONE_NEWUSER;
  snprintf(own, sizeof own, "/proc/self/%.12s", path);
  /* The tasks of a root that needs none are given none: the ones that they make are theirs alone. */
  if (user && isolates_on_the_host())
    return stat(own, user_namespace) == 0 || errno == ENOENT
               ? 0
               : fail(failure, STAGE_NAMESPACE, errno, "%s", own);
  *namespace = openat(thread, path, O_RDONLY | O_CLOEXEC);
  int error = errno;
  if (stat(own, &ours) != 0) {
    /* A kernel without this kind has none to enter. */
    if (*namespace < 0 && error == ENOENT && errno == ENOENT) return 0;
    return fail(failure, STAGE_NAMESPACE, errno, "own %s", path);
  }
  if (*namespace < 0) return fail(failure, STAGE_NAMESPACE, error, "%s of the task", path);
  if (user) *user_namespace = ours;
  if (is_same(*namespace, &ours)) close_fd(namespace);
  else if (user ? !is_of_a_spawner(*namespace, &ours)
                : !is_owned_by(*namespace, known[i].flag, user_namespace))
    return fail(failure, STAGE_NAMESPACE, EPERM, "%s of the task is not the one it was started with", path);
  else if (user && fstat(*namespace, user_namespace) != 0)
    return fail(failure, STAGE_NAMESPACE, errno, "%s of the task", path);
  return 0;
}

int entrance_open(struct entrance *entrance, int process, struct failure *failure) {
  struct stat user_namespace = {0};
  for (size_t i = 0; i < ENTRANCES; i++) entrance->namespaces[i] = -1;
  _cleanup_fd_ int thread = process_open_thread(process);
  if (thread < 0) return fail(failure, STAGE_NAMESPACE, errno, "namespaces of the task");
  for (size_t i = 0; i < ENTRANCES; i++)
    if (open_one(entrance, i, thread, &user_namespace, failure) != 0) return -1;
  return 0;
}

int entrance_pass(struct entrance *entrance, struct failure *failure) {
  for (size_t i = 0; i < ENTRANCES; i++) {
    if (entrance->namespaces[i] < 0) continue;
    if (setns(entrance->namespaces[i], known[i].flag) != 0)
      return fail(failure, STAGE_NAMESPACE, errno, "%s of the task", known[i].path);
    close_fd(&entrance->namespaces[i]);
  }
  return 0;
}
