#include "user_namespace.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "io.h"
#include "power.h"
#include "system.h"

/* MAP_MAX: the kernel takes less than a page. */
enum { MAP_MAX = 4096 };

/* Whoever has a number where we are, by the same number. False: errno. */
static bool own_map(const char *name, char *map) {
  char path[32], text[MAP_MAX];
  snprintf(path, sizeof path, "/proc/self/%s", name);
  if (read_file_at(AT_FDCWD, path, text, sizeof text) <= 0) return false;
  size_t used = 0;
  for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
    uint64_t first, count;
    if (sscanf(line, "%" SCNu64 " %*u %" SCNu64, &first, &count) != 2) return errno = EINVAL, false;
    int length =
        snprintf(map + used, MAP_MAX - used, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", first, first, count);
    if (length < 0 || (size_t)length >= MAP_MAX - used) return errno = E2BIG, false;
    used += (size_t)length;
  }
  return true;
}

static bool map_as_ours(pid_t pid, const char *name) {
  char path[40], map[MAP_MAX];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  return own_map(name, map) && write_file(path, map);
}

/* More than one's own number is mapped from outside only: a child that stays there does it when asked to. */
static pid_t start_mapper(int *go) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  pid_t pid = sys_fork();
  if (pid == 0) {
    char byte;
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1) _exit(ECANCELED);
    const pid_t parent = getppid();
    _exit(map_as_ours(parent, "uid_map") && map_as_ours(parent, "gid_map") ? 0 : errno);
  }
  close(ends[0]);
  *go = ends[1];
  return pid;
}

/* 0, or the errno of what was refused. */
static int end_mapper(pid_t pid, int *go, bool use) {
  char byte = 0;
  bool released = !use || write_all(*go, &byte, 1);
  close_fd(go);
  int status;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return errno;
  return released && WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
}

static bool map_to_itself(const char *path, unsigned id) {
  char line[64];
  snprintf(line, sizeof line, "%u %u 1\n", id, id);
  return write_file(path, line);
}

static bool map_own(uid_t uid, gid_t gid, enum mapped_ids *ids, const char **step) {
  /* Whoever could drop a group could get around a file that this very group is denied: user_namespaces(7).
   * ENOENT: before Linux 3.19. */
  *step = "setgroups";
  if (!write_file("/proc/self/setgroups", "deny") && errno != ENOENT) return false;
  *step = "uid_map";
  *ids = IDS_OWN;
  if (!map_to_itself("/proc/self/uid_map", uid)) return uid == 0 ? *ids = IDS_NONE, true : false;
  *step = "gid_map";
  return map_to_itself("/proc/self/gid_map", gid);
}

/* Not more than we have already: as anybody we could do the same to their processes and files. As
 * toBecomeAnybody in src/platform/powers.ts. */
static bool may_become_anybody(void) {
  static const unsigned needed[] = {
      CAP_SETUID, CAP_SETGID, CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_KILL};
  for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
    if (!may(needed[i])) return false;
  return true;
}

bool user_namespace_enter(enum mapped_ids *ids, const char **step) {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  _cleanup_fd_ int go = -1;
  *step = "fork";
  pid_t mapper = may_become_anybody() ? start_mapper(&go) : 0;
  if (mapper < 0) return false;
  *step = "unshare user";
  int refused = unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
  int unmapped = mapper > 0 ? end_mapper(mapper, &go, refused == 0) : ECANCELED;
  if (refused != 0) return errno = refused, false;
  if (unmapped == 0) *ids = IDS_ALL;
  else if (!map_own(uid, gid, ids, step)) return false;
  /* The host's mounts, and those to come, as its slave: nothing travels back. */
  *step = "unshare mount";
  return unshare(CLONE_NEWNS) == 0;
}
