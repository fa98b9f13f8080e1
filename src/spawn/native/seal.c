#include "seal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "inherited.h"
#include "io.h"
#include "log.h"
#include "system.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC 0x0001U
#define MFD_ALLOW_SEALING 0x0002U
#endif

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static int open_self(void) { return open("/proc/self/exe", O_RDONLY | O_CLOEXEC); }

bool seal_holds(void) {
  _cleanup_fd_ int self = open_self();
  struct statvfs system;
  if (self < 0) return false;
  int seals = fcntl(self, F_GET_SEALS);
  if (seals >= 0) return (seals & F_SEAL_WRITE) != 0;
  return fstatvfs(self, &system) == 0 && (system.f_flag & ST_RDONLY) != 0;
}

static bool copy(int from, int to) {
  struct stat status;
  if (fstat(from, &status) != 0) return false;
  for (off_t done = 0; done < status.st_size;) {
    ssize_t count = sendfile(to, from, &done, (size_t)(status.st_size - done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
  }
  return fchmod(to, 0555) == 0;
}

static int make_copy(int self) {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  /* Before Linux 6.3 it is executable, and the flag that asks for that is unknown. */
  _cleanup_fd_ int sealed = (int)syscall(SYS_memfd_create, "holdfast", flags | MFD_EXEC);
  if (sealed < 0 && errno == EINVAL) sealed = (int)syscall(SYS_memfd_create, "holdfast", flags);
  if (sealed < 0 || !copy(self, sealed) || fcntl(sealed, F_ADD_SEALS, SEALS) != 0) return -1;
  /* Executing wants a descriptor that nobody could write through. */
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", sealed);
  return open(path, O_RDONLY | O_CLOEXEC);
}

static void run(int fd, char **argv) {
  if (fd >= 0) syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
}

/*
 * A task's program may be a script whose interpreter is /proc/self/exe, and then we are what runs in it, to
 * be opened there for writing by root's tasks when we are done (CVE-2019-5736). A copy in memory with seals
 * cannot be written to by anybody; where the host forbids programs there (vm.memfd_noexec), a read-only mount
 * of the file does what can be done.
 */
void seal_self(char **argv) {
  _cleanup_fd_ int self = open_self();
  if (self < 0) return;
  struct rlimit before;
  file_size_unlimited(&before);
  _cleanup_fd_ int sealed = make_copy(self);
  file_size_limited(&before);
  run(sealed, argv);
  _cleanup_fd_ int view =
      open_through_mount(self, O_RDONLY | O_CLOEXEC, ATTRIBUTE_READ_ONLY | ATTRIBUTE_NOSUID);
  run(view, argv);
}
