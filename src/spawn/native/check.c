#include "check.h"
#include <stdio.h>
#include "frame.h"
#include "spec.h"

/* A shim that was made before its request parses what the spawner has parsed already (parked.h). */
static const char *parse_twice(struct request *request, struct spec *spec) {
  const char *wrong = spec_parse(request, spec);
  if (wrong != NULL || request->secrets != NULL) return wrong;
  pages_release(request->lists, request->lists_size);
  return spec_parse(request, spec);
}

int check_run(void) {
  struct frame_reader reader = {0};
  for (;;) {
    enum frame_state state = frame_read(&reader, 0);
    if (state == FRAME_MORE) continue;
    struct request request = frame_take(&reader);
    struct spec spec;
    const char *wrong = state == FRAME_WHOLE ? parse_twice(&request, &spec) : NULL;
    if (state == FRAME_WHOLE) dprintf(1, wrong == NULL ? "ok\n" : "bad %s\n", wrong);
    request_release(&request);
    if (state == FRAME_WHOLE) continue;
    if (state == FRAME_BAD) dprintf(1, "bad frame\n");
    return state == FRAME_END ? 0 : 2;
  }
}
