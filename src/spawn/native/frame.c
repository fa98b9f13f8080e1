#include "frame.h"
#include <errno.h>
#include <unistd.h>

static enum frame_state start_frame(struct frame_reader *reader) {
  const unsigned char *header = reader->header;
  size_t size =
      (size_t)header[0] | (size_t)header[1] << 8 | (size_t)header[2] << 16 | (size_t)header[3] << 24;
  if (size < 1 || size > MAX_FRAME) return FRAME_BAD;
  reader->request = (struct request){.frame = pages_allocate(size), .frame_size = size};
  if (reader->request.frame == NULL) return FRAME_BAD;
  pages_keep_from_dumps(reader->request.frame, size);
  return FRAME_MORE;
}

enum frame_state frame_read(struct frame_reader *reader, int fd) {
  bool in_header = reader->header_used < sizeof reader->header;
  void *target = in_header ? (void *)(reader->header + reader->header_used)
                           : (void *)(reader->request.frame + reader->used);
  size_t room =
      in_header ? sizeof reader->header - reader->header_used : reader->request.frame_size - reader->used;
  ssize_t count = read(fd, target, room);
  if (count < 0) return errno == EINTR || errno == EAGAIN ? FRAME_MORE : FRAME_BAD;
  if (count == 0) return reader->header_used == 0 ? FRAME_END : FRAME_BAD;
  if (in_header) {
    reader->header_used += (size_t)count;
    return reader->header_used < sizeof reader->header ? FRAME_MORE : start_frame(reader);
  }
  reader->used += (size_t)count;
  return reader->used < reader->request.frame_size ? FRAME_MORE : FRAME_WHOLE;
}

struct request frame_take(struct frame_reader *reader) {
  struct request request = reader->request;
  *reader = (struct frame_reader){0};
  return request;
}
