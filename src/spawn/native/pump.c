#include "pump.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "log.h"
#include "numbered.h"

/*
 * MAX_TURN: longer than a pipe, since a fast writer goes on filling it while we empty it, and one call then
 * does for many. MAX_PIPE: what any user may have.
 */
enum {
  MAX_TURN = 1 << 20,
  MAX_PIPE = 1 << 20,
  REST_MS = 1,
  HURRIES = 32,
  MAX_COPY = 16 << 10,
  MAX_SUFFIX = 4,
  MAX_NUMBERED = NAME_MAX + 1
};

/*
 * Two that write and rotate one log would destroy it for each other. Locks on its bytes keep them apart:
 * OWNER is held for life by the one that rotates. All from TURN on are held by the owner while it splices; of
 * these any other writer holds one of its own for life. Where the file system has no locks, there are none.
 */
enum { OWNER, TURN, TURN_TRIES = 10000, TURN_PAUSE_US = 200 };

struct bytes {
  off_t first, count;
};

static const struct bytes owner = {OWNER, 1}, turn_of_owner = {TURN, 0 /* to the end */};

static int lock_call(int file, int command, short type, struct bytes bytes) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = bytes.first, .l_len = bytes.count};
  int status = fcntl(file, command, &lock);
  return status == 0 && command == F_OFD_GETLK ? lock.l_type : status;
}

/* False: another writer holds it. Those open the file for writing only, which no task can; a read lock is a
 * task's, and keeps us from nothing. */
static bool lock(int file, struct bytes bytes) {
  if (lock_call(file, F_OFD_SETLK, F_WRLCK, bytes) == 0 || (errno != EAGAIN && errno != EACCES)) return true;
  return lock_call(file, F_OFD_GETLK, F_WRLCK, bytes) == F_RDLCK;
}

/* Of a new file, or of one that somebody has left: what has been in it is not ours. */
static void take_stock(struct log_pump *pump) {
  struct stat status = {0};
  if (fstat(pump->file, &status) != 0) pump->error = errno;
  pump->inode = status.st_ino;
  pump->end = status.st_size;
}

/* The owner writes at a place that it has looked up, until it finds a byte taken. A splice does not take
 * long, unless its shim is stopped amid it. */
static void announce(int file) {
  const struct bytes own = {TURN + getpid(), 1};
  for (int tries = 0; tries < TURN_TRIES && !lock(file, own); tries++) usleep(TURN_PAUSE_US);
}

/* With O_APPEND a write goes to the end of the file, whatever place is named (pwrite(2), BUGS): nobody writes
 * over what another has written. */
static void share(struct log_pump *pump) {
  if (fcntl(pump->file, F_SETFL, O_APPEND) != 0) pump->error = errno;
  pump->shared = true;
  /* No place in the file is known for certain any more. */
  pump->index = NULL;
}

/* Of the file at hand, when it has just been opened. */
static void find_role(struct log_pump *pump) {
  pump->shared = false;
  pump->is_second = !lock(pump->file, owner);
  if (!pump->is_second) return;
  announce(pump->file);
  share(pump);
}

int pump_open(struct log_pump *pump, int file, int number, const char *name, const struct file_target *target,
    const struct spec *spec, struct failure *failure) {
  *pump = (struct log_pump){.pipe = -1,
      .file = file,
      .dir = -1,
      .name = name,
      .max = spec->max_log,
      .files = spec->log_files,
      .number = number,
      .has_group = spec->has_credentials,
      .group = spec->gid};
  if (strlen(name) + (number < 0 ? MAX_SUFFIX : MAX_NUMBERED_SUFFIX) > NAME_MAX)
    return fail(failure, STAGE_LOG, ENAMETOOLONG, "%s: with a number behind it", target->path);
  /* Not O_APPEND, which splice refuses. */
  if ((pump->dir = open_log_directory(target)) < 0 || fcntl(file, F_SETFL, 0) != 0)
    return fail(failure, STAGE_LOG, errno, "%s", target->path);
  find_role(pump);
  take_stock(pump);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(failure, STAGE_LOG, errno, "pipe");
  _cleanup_fd_ int write_end = ends[1];
  pump->pipe = ends[0];
  pump->capacity = fcntl(pump->pipe, F_GETPIPE_SZ);
  /* The task's own, as a file would be, so that a program may open /dev/stdout again. */
  if (spec->has_credentials && fchown(write_end, spec->uid, spec->gid) != 0)
    return fail(failure, STAGE_LOG, errno, "pipe: change of owner");
  if (fcntl(pump->pipe, F_SETFL, O_NONBLOCK) != 0) return fail(failure, STAGE_LOG, errno, "pipe");
  int kept = write_end;
  write_end = -1;
  return kept;
}

void pump_note_in(struct log_pump *pump, struct output_index *index, int stream) {
  pump->index = pump->is_second ? NULL : index;
  pump->stream = stream;
}

static void numbered(char *text, const struct log_pump *pump, int number) {
  if (number == 0) snprintf(text, MAX_NUMBERED, "%s", pump->name);
  else snprintf(text, MAX_NUMBERED, "%s.%d", pump->name, number);
}

/* What does not move aside (a directory that the task has put in the way) costs the file behind it: the
 * number of files is kept, and we go on. */
static void shift(struct log_pump *pump, int number) {
  char from[MAX_NUMBERED], to[MAX_NUMBERED];
  numbered(from, pump, number);
  numbered(to, pump, number + 1);
  if (renameat(pump->dir, from, pump->dir, to) == 0 || errno == ENOENT) return;
  pump->error = errno;
  pump->lossy = true;
  unlinkat(pump->dir, from, 0);
}

static void create_named(struct log_pump *pump) {
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  for (int again = 0; again < 3; again++) {
    pump->file = openat(pump->dir, pump->name, flags, 0640);
    if (pump->file >= 0 || errno != EEXIST) break;
    /* Put there since we moved ours away. */
    unlinkat(pump->dir, pump->name, 0);
  }
}

/* Readable for the task's group, or for all. Not the task's own: only the shim writes it. */
static void create(struct log_pump *pump) {
  if (pump->number < 0) create_named(pump);
  else pump->file = numbered_next(pump->dir, pump->name, pump->files, &pump->number);
  if (pump->file < 0) {
    pump->error = errno;
    return;
  }
  if (pump->number < 0 && pump->has_group && fchown(pump->file, (uid_t)-1, pump->group) != 0)
    pump->error = errno;
  find_role(pump);
  take_stock(pump);
}

/* The oldest first: each name is free when its turn comes, and at any instant a reader finds the files in
 * order. */
static OWN_FRAME void rotate(struct log_pump *pump) {
  struct output_index *index = pump->index;
  close_fd(&pump->file);
  if (index != NULL) index_turn(index, pump->stream);
  /* Who was there before the start is not missed. */
  if (pump->generation >= pump->files - 1) {
    pump->outgrown = true;
    pump->dropped += pump->max;
  }
  if (pump->number < 0)
    for (int number = pump->files - 2; number >= 0; number--) shift(pump, number);
  pump->generation++;
  create(pump);
  if (index != NULL) index_turn(index, pump->stream);
}

/* The shim's standard output is /dev/null. */
static void drop(struct log_pump *pump, ssize_t *moved) {
  *moved = splice(pump->pipe, NULL, STDOUT_FILENO, NULL, MAX_TURN, SPLICE_F_NONBLOCK);
  if (*moved > 0) {
    pump->lossy = true;
    pump->dropped += *moved;
  }
}

/* A part that was read and could not be written is lost. */
static OWN_FRAME ssize_t copy(struct log_pump *pump, off_t at, size_t max) {
  char bytes[MAX_COPY];
  ssize_t count = read(pump->pipe, bytes, max < sizeof bytes ? max : sizeof bytes);
  for (ssize_t done = 0; done < count;) {
    ssize_t written = pwrite(pump->file, bytes + done, (size_t)(count - done), at + done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      pump->error = errno;
      pump->lossy = true;
      pump->dropped += count - done;
      break;
    }
    done += written;
  }
  return count;
}

static ssize_t move_to(struct log_pump *pump, off_t at, size_t max) {
  if (pump->copies || pump->shared) return copy(pump, at, max);
  off_t to = at;
  ssize_t moved = splice(pump->pipe, NULL, pump->file, &to, max, SPLICE_F_NONBLOCK);
  if (moved >= 0 || errno != EINVAL) return moved;
  pump->copies = true;
  return copy(pump, at, max);
}

static ssize_t move(struct log_pump *pump, off_t at, size_t max) {
  ssize_t moved = move_to(pump, at, max);
  if (moved <= 0) return moved;
  pump->end = at + moved;
  if (pump->index != NULL) index_add(pump->index, pump->stream, pump->inode, at, moved);
  return moved;
}

/* Where the file ends now. Asked each time: somebody may have cut it, and to go on at the old place would
 * leave a hole. */
static off_t end_of(struct log_pump *pump) {
  struct stat status;
  if (fstat(pump->file, &status) != 0) return 0;
  /* By one who may do what the task may not: we cannot know what was in it. */
  if (status.st_size < pump->end || status.st_nlink == 0) {
    pump->error = ESTALE;
    pump->lossy = true;
  }
  if (status.st_size > pump->end && !pump->shared) share(pump);
  return status.st_size;
}

static enum pump_state state_of(ssize_t moved) {
  if (moved > 0 || (moved < 0 && errno == EINTR)) return PUMP_MORE;
  return moved == 0 ? PUMP_END : PUMP_EMPTY;
}

static enum pump_state dropped(struct log_pump *pump, ssize_t *moved) {
  drop(pump, moved);
  return state_of(*moved);
}

/* From here to end_turn() nobody else writes to the file, or we append as they do. */
static void begin_turn(struct log_pump *pump) {
  if (pump->file >= 0 && !pump->shared && !lock(pump->file, turn_of_owner)) share(pump);
}

static void end_turn(const struct log_pump *pump) {
  if (pump->file >= 0 && !pump->is_second) lock_call(pump->file, F_OFD_SETLK, F_UNLCK, turn_of_owner);
}

static enum pump_state carry(struct log_pump *pump, ssize_t *moved) {
  if (pump->file < 0 && !pump->is_second) create(pump);
  begin_turn(pump);
  off_t end = pump->file < 0 ? 0 : end_of(pump);
  if (pump->is_second && end >= pump->max * pump->files) close_fd(&pump->file);
  if (pump->file < 0 && pump->is_second) return dropped(pump, moved);
  if (pump->file >= 0 && end >= pump->max && !pump->is_second) {
    /* Only when there is something to write: a log that is just full keeps its oldest file. */
    struct pollfd waiting = {.fd = pump->pipe, .events = POLLIN};
    if (poll(&waiting, 1, 0) == 0) return PUMP_EMPTY;
    if ((waiting.revents & POLLIN) == 0) return PUMP_END;
    rotate(pump);
    begin_turn(pump);
    end = pump->file < 0 ? 0 : end_of(pump);
  }
  int64_t room = (pump->is_second ? pump->max * pump->files : pump->max) - end;
  if (pump->file < 0) drop(pump, moved);
  else *moved = move(pump, end, room < MAX_TURN ? (size_t)room : MAX_TURN);
  if (*moved < 0 && errno != EAGAIN && errno != EINTR) {
    pump->error = errno;
    drop(pump, moved);
  }
  return state_of(*moved);
}

static enum pump_state turn(struct log_pump *pump, ssize_t *moved) {
  enum pump_state state = carry(pump, moved);
  end_turn(pump);
  if (*moved > 0) pump->carried += *moved;
  return state;
}

/*
 * With a processor for each, a fast writer and a pump that comes for every few pages wake and lock out one
 * another all the time, which costs each of them several times what the bytes do. So who comes for less than
 * half a pipe, and has been here just now, comes back a little later; and a pipe that fills up even so
 * becomes a larger one, where we may have it. What is written now and then is moved at once, and so is a
 * short burst: to rest would lose the order in which the two streams came.
 */
static void rest(struct log_pump *pump, ssize_t moved) {
  int64_t now = boottime_ms();
  bool soon = now - pump->emptied_at <= REST_MS;
  /* A rest is no end of the hurry. */
  if (!soon) pump->hurry /= 2;
  else if (pump->hurry < 2 * HURRIES) pump->hurry++;
  if (moved * 2 >= pump->capacity) {
    if (pump->capacity < MAX_PIPE && fcntl(pump->pipe, F_SETPIPE_SZ, MAX_PIPE) >= 0)
      pump->capacity = fcntl(pump->pipe, F_GETPIPE_SZ);
  } else if (soon && pump->hurry > HURRIES) pump->rests_until = now + REST_MS;
  pump->emptied_at = now;
}

int pump_await(const struct log_pump *pump, int64_t now, int64_t *wake) {
  if (pump->pipe < 0 || now >= pump->rests_until) return pump->pipe;
  if (*wake == 0 || *wake > pump->rests_until) *wake = pump->rests_until;
  return -1;
}

enum pump_state pump_turn(struct log_pump *pump) {
  ssize_t moved = 0;
  if (pump->pipe < 0) return PUMP_END;
  enum pump_state state = turn(pump, &moved);
  if (state == PUMP_END) close_fd(&pump->pipe);
  else rest(pump, moved);
  return state;
}

static bool drain(struct log_pump *pump, int wait_ms) {
  int64_t deadline = boottime_ms() + wait_ms;
  /* What the task itself has written is in the pipe by now. Whoever still writes after that is not the task,
   * and must not keep us. */
  int64_t own = pump->pipe < 0 ? 0 : fcntl(pump->pipe, F_GETPIPE_SZ);
  while (pump->pipe >= 0) {
    ssize_t moved = 0;
    enum pump_state state = turn(pump, &moved);
    int64_t left = deadline - boottime_ms();
    if (state == PUMP_END) close_fd(&pump->pipe);
    if (state == PUMP_MORE && moved > 0) own -= moved;
    if (state != PUMP_END && left <= 0 && (state == PUMP_EMPTY || own <= 0)) return false;
    struct pollfd waiting = {.fd = pump->pipe, .events = POLLIN};
    if (state == PUMP_EMPTY) poll(&waiting, 1, (int)left);
  }
  return true;
}

bool pump_drain(struct log_pump *pump, int wait_ms) {
  bool ended = drain(pump, wait_ms);
  /* For the last time. */
  if (pump->file >= 0) end_of(pump);
  close_fd(&pump->file);
  return ended && !pump->lossy && !pump->outgrown;
}
