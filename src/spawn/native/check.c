#include "check.h"
#include <stdio.h>
#include "frame.h"
#include "spec.h"

int check_run(void) {
  struct frame_reader reader = {0};
  for (;;) {
    enum frame_state state = frame_read(&reader, 0);
    if (state == FRAME_MORE) continue;
    struct request request = frame_take(&reader);
    struct spec spec;
    const char *wrong = state == FRAME_WHOLE ? spec_parse(&request, &spec) : NULL;
    if (state == FRAME_WHOLE) dprintf(1, wrong == NULL ? "ok\n" : "bad %s\n", wrong);
    request_release(&request);
    if (state == FRAME_WHOLE) continue;
    if (state == FRAME_BAD) dprintf(1, "bad frame\n");
    return state == FRAME_END ? 0 : 2;
  }
}
