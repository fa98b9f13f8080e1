#include "process.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "directory.h"
#include "io.h"
#include "record.h"

int process_open(const struct identity *identity) {
  char path[32], stat[1024];
  snprintf(path, sizeof path, "/proc/%d", identity->pid);
  _cleanup_fd_ int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  /* Its number is somebody's whom /proc does not show to us. */
  if (process < 0 && (kill(identity->pid, 0) == 0 || errno == EPERM)) return errno = EACCES, -1;
  /* It was hidden when its start was recorded. */
  if (identity->start == 0) return errno = EACCES, -1;
  /* Asked after it was opened: whoever has the number later is not in this directory. */
  bool same = process >= 0 && read_file_at(process, "stat", stat, sizeof stat) > 0 &&
              stat_number(stat, 22) == identity->start;
  if (!same) return errno = ESRCH, -1;
  int kept = process;
  process = -1;
  return kept;
}

enum life { LIFE_OVER, LIFE_ENDING, LIFE_GOES_ON };

static enum life life_of_thread(int directory, const char *path) {
  enum { FLAGS = 9, EXITING = 0x4, PENDING = 31, KILLED = 1 << (SIGKILL - 1) };
  char stat[1024];
  if (read_file_at(directory, path, stat, sizeof stat) <= 0) return LIFE_OVER;
  const char *state = strrchr(stat, ')');
  if (state == NULL || strchr("ZX", state[2]) != NULL) return LIFE_OVER;
  return (stat_number(stat, FLAGS) & EXITING) != 0 || (stat_number(stat, PENDING) & KILLED) != 0
             ? LIFE_ENDING
             : LIFE_GOES_ON;
}

/* Of the thread that has the most of it left, whose directory is `thread`. */
static OWN_FRAME enum life life_of(int process, char thread[32]) {
  enum life life = life_of_thread(process, "stat");
  snprintf(thread, 32, ".");
  if (life == LIFE_GOES_ON) return life;
  int task = openat(process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CLEANUP(close_directory) DIR *threads = task < 0 ? NULL : fdopendir(task);
  if (threads == NULL) return close_fd(&task), life;
  for (struct dirent *entry; life != LIFE_GOES_ON && (entry = readdir(threads)) != NULL;) {
    char path[32];
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%.10s/stat", entry->d_name);
    enum life own = life_of_thread(task, path);
    if (own <= life) continue;
    life = own;
    snprintf(thread, 32, "task/%.10s", entry->d_name);
  }
  return life;
}

bool process_is_alive(const struct identity *identity) {
  char thread[32];
  _cleanup_fd_ int process = process_open(identity);
  return process >= 0 && life_of(process, thread) != LIFE_OVER;
}

bool process_is_ending(int process) {
  char thread[32];
  return life_of(process, thread) != LIFE_GOES_ON;
}

int process_open_thread(int process) {
  char thread[32];
  if (life_of(process, thread) != LIFE_GOES_ON) return errno = ESRCH, -1;
  return openat(process, thread, O_PATH | O_DIRECTORY | O_CLOEXEC);
}
