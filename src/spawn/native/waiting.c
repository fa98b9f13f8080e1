#include "waiting.h"
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int waiting_run(void) {
  struct stat file;
  if (fstat(0, &file) != 0) return 1;
  if (S_ISREG(file.st_mode)) {
    off_t at = lseek(0, 0, SEEK_CUR);
    return at >= 0 && at < file.st_size ? 0 : 1;
  }
  int bytes = 0;
  if (!S_ISFIFO(file.st_mode) && !S_ISSOCK(file.st_mode)) return 1;
  return ioctl(0, FIONREAD, &bytes) == 0 && bytes > 0 ? 0 : 1;
}
