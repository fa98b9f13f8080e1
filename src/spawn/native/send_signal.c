#include "send_signal.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "record.h"

/* Linux 5.1 and 5.3; the numbers are the same everywhere. */
enum { PIDFD_SEND_SIGNAL = 424, PIDFD_OPEN = 434 };

static siginfo_t queued(int number, int64_t value) {
  siginfo_t information;
  memset(&information, 0, sizeof information);
  information.si_signo = number;
  information.si_code = SI_QUEUE;
  information.si_pid = getpid();
  information.si_uid = getuid();
  information.si_value.sival_ptr = (void *)(intptr_t)value;
  return information;
}

/* Held first, and looked at afterwards: whoever gets the number later is not behind the descriptor. */
int signal_run(const char *pid, const char *start, const char *number, const char *value) {
  int64_t target, began, wanted, carried = 0;
  if (!parse_number(pid, 2, INT32_MAX, &target) || !parse_number(start, 0, INT64_MAX, &began) ||
      !parse_number(number, 1, SIGRTMAX, &wanted) ||
      (value != NULL && !parse_number(value, 0, INT64_MAX, &carried))) {
    dprintf(2, "holdfast-native: signal takes a pid, a start time, a signal's number and perhaps a value\n");
    return 2;
  }
  _cleanup_fd_ int process = (int)syscall(PIDFD_OPEN, (pid_t)target, 0);
  if (process < 0) return errno == ENOSYS || errno == EPERM ? 2 : 1;
  if (identify((pid_t)target).start != (uint64_t)began) return 1;
  siginfo_t information = queued((int)wanted, carried);
  if (syscall(PIDFD_SEND_SIGNAL, process, (int)wanted, value == NULL ? NULL : &information, 0) == 0) return 0;
  return errno == ENOSYS ? 2 : 1;
}
