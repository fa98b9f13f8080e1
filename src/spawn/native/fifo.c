#include "fifo.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int fifo_run(char *const *paths) {
  for (; *paths != NULL; paths++) {
    if (mkfifo(*paths, 0600) == 0) continue;
    int error = errno;
    dprintf(2, "%d %s\n", error, strerror(error));
    return 1;
  }
  return 0;
}
