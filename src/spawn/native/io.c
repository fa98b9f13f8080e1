#include "io.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "system.h"

void close_fd(int *fd) {
  if (*fd < 0) return;
  int saved = errno;
  close(*fd);
  *fd = -1;
  errno = saved;
}

static void close_span(unsigned first, unsigned last) {
  if (first > last || sys_close_range(first, last, 0) == 0) return;
  /* Before Linux 5.9: one by one. Descriptors above the limit exist only if the limit was lowered later;
   * 65536 bounds the walk. */
  struct rlimit limit;
  unsigned max =
      getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536 ? (unsigned)limit.rlim_cur : 65536;
  for (unsigned fd = first; fd <= last && fd < max; fd++) close((int)fd);
}

void close_others(int *keep, size_t count) {
  for (size_t i = 1; i < count; i++)
    for (size_t k = i; k > 0 && keep[k - 1] > keep[k]; k--) {
      int lower = keep[k];
      keep[k] = keep[k - 1];
      keep[k - 1] = lower;
    }
  unsigned next = 3;
  for (size_t i = 0; i < count; i++) {
    if (keep[i] < (int)next) continue;
    close_span(next, (unsigned)keep[i] - 1);
    next = (unsigned)keep[i] + 1;
  }
  close_span(next, UINT_MAX);
}

bool write_all(int fd, const void *data, size_t size) {
  const char *next = data;
  while (size > 0) {
    ssize_t written = write(fd, next, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    next += written;
    size -= (size_t)written;
  }
  return true;
}

bool write_file_at(int dir, const char *path, const char *value) {
  _cleanup_fd_ int fd = openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return false;
  ssize_t written;
  do written = write(fd, value, strlen(value));
  while (written < 0 && errno == EINTR);
  return written >= 0;
}

bool write_file(const char *path, const char *value) { return write_file_at(AT_FDCWD, path, value); }

ssize_t read_file_at(int dir, const char *path, char *buffer, size_t size) {
  _cleanup_fd_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  return fd < 0 ? -1 : read_to_end(fd, buffer, size);
}

ssize_t read_to_end(int fd, char *buffer, size_t size) {
  size_t used = 0;
  while (used < size - 1) {
    ssize_t count = read(fd, buffer + used, size - 1 - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    if (count == 0) break;
    used += (size_t)count;
  }
  buffer[used] = '\0';
  return (ssize_t)used;
}

bool parse_number(const char *text, int64_t min, int64_t max, int64_t *value) {
  const char *digits = text[0] == '-' ? text + 1 : text;
  size_t length = strlen(digits);
  /* 18 digits always fit; strtoll alone would also take spaces, a plus sign and a truncated number. */
  if (length == 0 || length > 18 || strspn(digits, "0123456789") != length) return false;
  *value = strtoll(text, NULL, 10);
  return *value >= min && *value <= max;
}

bool parse_octal(const char *text, mode_t *value) {
  size_t length = strlen(text);
  if (length == 0 || length > 6 || strspn(text, "01234567") != length) return false;
  unsigned long number = strtoul(text, NULL, 8);
  *value = (mode_t)number;
  return number <= 07777;
}

static int64_t clock_ms(clockid_t clock) {
  struct timespec now = {0};
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t realtime_ms(void) { return clock_ms(CLOCK_REALTIME); }
int64_t boottime_ms(void) { return clock_ms(CLOCK_BOOTTIME); }

void sleep_ms(int milliseconds) {
  struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = (milliseconds % 1000) * 1000000L};
  nanosleep(&pause, NULL);
}

#ifdef __SANITIZE_ADDRESS__
/* malloc has red zones where mmap has none. */
void *pages_allocate(size_t size) { return calloc(1, size); }
void pages_release(void *pages, size_t size) {
  (void)size;
  free(pages);
}
void pages_keep_from_children(void *pages, size_t size) {
  (void)pages;
  (void)size;
}
void pages_keep_from_dumps(void *pages, size_t size) {
  (void)pages;
  (void)size;
}
void stack_trim(void) {}
void stack_trim_from(const void *end) { (void)end; }
#else
void *pages_allocate(size_t size) {
  void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return pages == MAP_FAILED ? NULL : pages;
}
void pages_release(void *pages, size_t size) {
  if (pages != NULL) munmap(pages, size);
}
/* Failure costs memory, nothing else. */
void pages_keep_from_children(void *pages, size_t size) { madvise(pages, size, MADV_DONTFORK); }

/* Here too: the shim's own dumps are forbidden to begin with. */
void pages_keep_from_dumps(void *pages, size_t size) { madvise(pages, size, MADV_DONTDUMP); }

/*
 * MADV_DONTNEED takes pages of private memory from the process at once; whoever touches them later finds
 * zeros. What an exec has put on the stack, the arrays first, lies above all frames: /proc/PID/cmdline and
 * environ are read there.
 */
enum { STACK_DEPTH = 64 << 10, RED_ZONE = 1024, MAX_FRAMES = 1 << 20 };

size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static uintptr_t page_of(const void *address) { return (uintptr_t)address & ~(page_size() - 1); }

/* None where the environment is somewhere else: then nobody knows. */
static uintptr_t end_of_frames(uintptr_t start) {
  const uintptr_t end = page_of(environ);
  return end > start && end - start <= MAX_FRAMES ? end : start;
}

static void give_back(uintptr_t start, uintptr_t end) {
  if (end > start) madvise((void *)start, end - start, MADV_DONTNEED);
}

void stack_trim(void) {
  const uintptr_t end = page_of((const char *)__builtin_frame_address(0) - RED_ZONE);
  give_back(end - STACK_DEPTH, end);
}

void stack_trim_from(const void *end) {
  const uintptr_t start = page_of((const char *)end + page_size() - 1);
  give_back(start, end_of_frames(start));
}

struct page_range stack_frames(void) {
  const uintptr_t own = page_of(__builtin_frame_address(0));
  return (struct page_range){own - STACK_DEPTH, end_of_frames(own) - own + STACK_DEPTH};
}
#endif
