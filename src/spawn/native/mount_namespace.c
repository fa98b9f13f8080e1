#include "mount_namespace.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include "io.h"
#include "system.h"

enum { MAX_FILL_MS = 3000 };

static bool is_filled(int made) {
  struct pollfd waiting = {.fd = made, .events = POLLIN};
  char byte;
  int ready;
  do ready = poll(&waiting, 1, MAX_FILL_MS);
  while (ready < 0 && errno == EINTR);
  return ready > 0 && read(made, &byte, 1) == 1;
}

/* The child makes the namespace and goes; it lives on in our descriptor and in those who enter it. */
int mount_namespace_make(bool fill(const void *context), const void *context) {
  int made[2], taken[2];
  if (pipe2(made, O_CLOEXEC) != 0) return -1;
  _cleanup_fd_ int made_read = made[0], made_write = made[1];
  if (pipe2(taken, O_CLOEXEC) != 0) return -1;
  _cleanup_fd_ int taken_read = taken[0], taken_write = taken[1];
  pid_t pid = sys_fork();
  if (pid < 0) return -1;
  if (pid == 0) {
    char byte = 0;
    close_fd(&taken_write);
    bool own = unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    if (own && fill(context) && write_all(made_write, &byte, 1))
      while (read(taken_read, &byte, 1) < 0 && errno == EINTR) {}
    _exit(0);
  }
  close_fd(&made_write);
  int namespace = -1;
  if (is_filled(made_read)) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", pid);
    namespace = open(path, O_RDONLY | O_CLOEXEC);
  }
  /* One that hangs may not die at once either; whoever reaps the spawner's children finds it later. */
  if (namespace < 0) kill(pid, SIGKILL);
  close_fd(&taken_write);
  while (namespace >= 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
  return namespace;
}
