#include "idmap.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "io.h"
#include "system.h"
#include "walk.h"

/* IDS: how many numbers there are, for -1 is none. MAX_MAP: five lines. */
enum { MAX_MAP = 256, NOBODY = 65534 };
static const uint32_t IDS = UINT32_MAX;

static size_t add_line(char *map, size_t used, uint32_t inside, uint32_t outside, uint32_t count) {
  if (count == 0) return used;
  return used + (size_t)snprintf(map + used, MAX_MAP - used, "%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", inside,
                    outside, count);
}

/* The file system's number comes first, then the one that is seen. */
static void describe(char map[MAX_MAP], uint32_t one, uint32_t other) {
  uint32_t low = one < other ? one : other, high = one < other ? other : one;
  size_t used = add_line(map, 0, 0, 0, low);
  used = add_line(map, used, low, high, 1);
  if (low == high) {
    add_line(map, used, low + 1, low + 1, IDS - low - 1);
    return;
  }
  used = add_line(map, used, low + 1, low + 1, high - low - 1);
  used = add_line(map, used, high, low, 1);
  add_line(map, used, high + 1, high + 1, IDS - high - 1);
}

static bool write_map(const char *process, const char *name, uint32_t one, uint32_t other) {
  char path[48], map[MAX_MAP];
  snprintf(path, sizeof path, "/proc/%s/%s", process, name);
  describe(map, one, other);
  return write_file(path, map);
}

/* Whoever holds the namespace until somebody has it open. It tells its own number, which /proc may count
 * otherwise than we do. */
static _Noreturn void hold(int pid_pipe, int until) {
  char number[16] = {0}, byte;
  if (unshare(CLONE_NEWUSER) != 0) _exit(errno);
  /* /proc shows the namespace of one who is not dumpable to few. */
  if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0 || readlink("/proc/self", number, sizeof number - 1) <= 0)
    _exit(errno);
  if (!write_all(pid_pipe, number, sizeof number)) _exit(errno);
  while (read(until, &byte, 1) < 0 && errno == EINTR) {}
  _exit(0);
}

static int open_mapped(const struct id_map *map, int pid_pipe) {
  char number[16], path[48];
  ssize_t count;
  do count = read(pid_pipe, number, sizeof number);
  while (count < 0 && errno == EINTR);
  if (count != (ssize_t)sizeof number || number[sizeof number - 1] != '\0') return errno = ECHILD, -1;
  if (!write_map(number, "uid_map", map->owner_uid, map->user_uid) ||
      !write_map(number, "gid_map", map->owner_gid, map->user_gid))
    return -1;
  snprintf(path, sizeof path, "/proc/%s/ns/user", number);
  return open(path, O_RDONLY | O_CLOEXEC);
}

int idmap_open(const struct id_map *map) {
  int pid_pipe[2], until[2];
  if (pipe2(pid_pipe, O_CLOEXEC) != 0) return -1;
  _cleanup_fd_ int pid_read = pid_pipe[0], pid_write = pid_pipe[1];
  if (pipe2(until, O_CLOEXEC) != 0) return -1;
  _cleanup_fd_ int until_read = until[0], until_write = until[1];
  pid_t pid = sys_fork();
  if (pid < 0) return -1;
  if (pid == 0) {
    close_fd(&pid_read);
    close_fd(&until_write);
    hold(pid_write, until_read);
  }
  close_fd(&pid_write);
  int namespace = open_mapped(map, pid_read), error = errno, status = 0;
  close_fd(&until_write);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  /* Its own reason, where it has said nothing. */
  bool refused = WIFEXITED(status) && WEXITSTATUS(status) != 0;
  errno = namespace < 0 && refused ? WEXITSTATUS(status) : error;
  return namespace;
}

bool idmap_apply(int tree, int namespace, bool *all) {
  struct mount_attributes change = {.set = ATTRIBUTE_IDMAP, .userns_fd = (uint64_t)namespace};
  *all = sys_mount_setattr(tree, TREE_RECURSIVE, &change) == 0;
  return *all || sys_mount_setattr(tree, 0, &change) == 0;
}

static int try_map(const char *path, bool *all) {
  _cleanup_fd_ int found = open_trusted(path, O_PATH | O_DIRECTORY | O_CLOEXEC, NULL);
  if (found < 0) return errno;
  _cleanup_fd_ int tree =
      sys_open_tree(found, "", TREE_CLONE | TREE_CLOEXEC | TREE_RECURSIVE | TREE_EMPTY_PATH);
  if (tree < 0) return errno;
  const struct id_map map = {.user_uid = NOBODY, .user_gid = NOBODY};
  _cleanup_fd_ int namespace = idmap_open(&map);
  return namespace >= 0 && idmap_apply(tree, namespace, all) ? 0 : errno;
}

int idmap_run(const char *path) {
  bool all = false;
  int refused = try_map(path, &all);
  return printf("{\"refused\":%d,\"all\":%s}\n", refused, all ? "true" : "false") < 0 || fflush(stdout) != 0
             ? 2
             : 0;
}
