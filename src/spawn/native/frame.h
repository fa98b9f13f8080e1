/* Frames from a pipe, in whatever pieces they come. */
#pragma once
#include "spec.h"

struct frame_reader {
  unsigned char header[4];
  size_t header_used, used;
  struct request request;
};

enum frame_state { FRAME_MORE, FRAME_WHOLE, FRAME_END, FRAME_BAD };

/* One read. FRAME_WHOLE: reader->request.frame is whole; take it by frame_take. */
enum frame_state frame_read(struct frame_reader *reader, int fd);
struct request frame_take(struct frame_reader *reader);
