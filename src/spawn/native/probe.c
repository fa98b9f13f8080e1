#include "probe.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "empty_namespace.h"
#include "features.h"
#include "system.h"
#include "user_namespace.h"

/* Zero, or errno: it becomes the exit code of the process that tried. */
typedef int attempt(int flags);

static int try_namespace(int flags) { return unshare(flags) == 0 ? 0 : errno; }

static int try_root(int flags) {
  if (unshare(flags) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return errno;
  /* Whoever has no number in this user namespace may mount a file system, and make nothing in it. */
  if (mount("tmpfs", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=16k,mode=0755") != 0 ||
      mkdir("/proc/made", 0755) != 0)
    return errno;
  return empty_namespace_pivot(NULL) ? 0 : errno;
}

static int run(attempt *tried, int flags) {
  pid_t pid = sys_fork();
  if (pid < 0) return errno;
  if (pid == 0) _exit(tried(flags));
  int status;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return errno;
  /* A filter or a security module that kills instead of refusing. */
  return WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
}

static int mount_proc(int flags) {
  (void)flags;
  return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0 ? 0 : errno;
}

/* Of a new pid namespace, which only a child is in. Refused where the /proc at hand has parts covered, as in
 * most containers. */
static int try_proc(int flags) {
  if (unshare(flags) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return errno;
  return run(mount_proc, 0);
}

static const struct {
  char name[8];
  attempt *tried;
  int flags;
} attempts[] = {
    {"mount", try_namespace, CLONE_NEWNS},
    {"pid", try_namespace, CLONE_NEWPID},
    {"ipc", try_namespace, CLONE_NEWIPC},
    {"uts", try_namespace, CLONE_NEWUTS},
    {"cgroup", try_namespace, CLONE_NEWCGROUP},
    {"network", try_namespace, CLONE_NEWNET},
    {"root", try_root, CLONE_NEWNS},
    {"proc", try_proc, CLONE_NEWNS | CLONE_NEWPID},
};

static bool has_mount_setattr(void) {
  static struct platform_info platform;
  platform_probe(&platform);
  return platform.has_mount_setattr;
}

static const char *const id_names[] = {[IDS_ALL] = "all", [IDS_OWN] = "own", [IDS_NONE] = "none"};

int probe_run(void) {
  const char *step = "";
  enum mapped_ids ids = IDS_NONE;
  if (!user_namespace_enter(&ids, &step))
    return printf("{\"user\":%d,\"step\":\"%s\"}\n", errno, step) < 0 ? 2 : 0;
  printf("{\"user\":0,\"ids\":\"%s\"", id_names[ids]);
  for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
    printf(",\"%s\":%d", attempts[i].name, run(attempts[i].tried, attempts[i].flags));
  printf(",\"mountSetattr\":%s}\n", has_mount_setattr() ? "true" : "false");
  return fflush(stdout) == 0 ? 0 : 2;
}
