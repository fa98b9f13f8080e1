/* holdfast-native: the spawner of shims. docs/native-protocol.md says what goes in and comes out. */
#include <stdio.h>
#include <string.h>
#include "changes.h"
#include "check.h"
#include "disk.h"
#include "egress_check.h"
#include "features.h"
#include "fifo.h"
#include "idmap.h"
#include "inherited.h"
#include "fd_donor.h"
#include "keeper.h"
#include "parked.h"
#include "probe.h"
#include "seal.h"
#include "send_signal.h"
#include "spawner.h"
#include "waiting.h"

static int features_run(void) {
  static struct platform_info platform;
  char text[512];
  platform_probe(&platform);
  platform_describe(&platform, text, sizeof text);
  return puts(text) < 0 ? 2 : 0;
}

enum { MAX_SPAWNER_ARGUMENTS = 4 };
static const char own_name[] = "holdfast";

/* A task's `ps` shows the command line of its PID 1, which is ours: without the path of the installation. */
static void hide_path(char *path) {
  size_t size = strlen(path) + 1;
  memset(path, 0, size);
  snprintf(path, size, "%s", own_name);
}

/* Once: our own name says that it was tried, and the shims ask how it went. */
static void seal(char **arguments) {
  char called[] = "holdfast", *argv[MAX_SPAWNER_ARGUMENTS + 1] = {called};
  for (int i = 1; i < MAX_SPAWNER_ARGUMENTS && arguments[i] != NULL; i++) argv[i] = arguments[i];
  /* Where our own addresses are is decided by exec. */
  const bool was_odd = forget_personality();
  if (strcmp(arguments[0], own_name) != 0 && (was_odd || !seal_holds())) seal_self(argv);
}

/* `rootless`, and `parked=COUNT` or `parked=COUNT,MILLISECONDS`. */
static bool parse_options(char **arguments, struct spawner_options *options) {
  static const char parked[] = "parked=";
  int count = 0;
  for (; arguments[count] != NULL; count++) {
    const char *text = arguments[count];
    if (strcmp(text, "rootless") == 0) options->rootless = true;
    else if (strncmp(text, parked, sizeof parked - 1) != 0 ||
             !parked_parse(text + sizeof parked - 1, &options->parked_max, &options->parked_keep_ms))
      return false;
  }
  return count + 2 <= MAX_SPAWNER_ARGUMENTS;
}

/*
 * With its frames on other pages than the arguments. Those stay, and a process that shares the page with
 * frames would keep a copy of it for life.
 */
static OWN_FRAME int spawner_below_arguments(const struct spawner_options *options) {
  char gap[4096];
  __asm__ volatile("" ::"r"(gap) : "memory");
  return spawner_run(options);
}

int main(int argc, char **argv) {
  /* SIGCHLD ignored by our parent would mean: children vanish unreaped, and no exit is ever seen. */
  signals_by_default();
  const bool rootless = argc == 3 && strcmp(argv[2], "rootless") == 0;
  const char *mode = argc == 2 || rootless ? argv[1] : "";
  struct spawner_options options = {.parked_max = MAX_PARKED, .parked_keep_ms = PARKED_KEEP_MS};
  if (argc >= 2 && strcmp(argv[1], "spawner") == 0 && parse_options(argv + 2, &options)) {
    seal(argv);
    hide_path(argv[0]);
    return spawner_below_arguments(&options);
  }
  if (argc == 5 && strcmp(argv[1], "donate") == 0) return donate_run(argv[2], argv[3], argv[4]);
  if ((argc == 5 || argc == 6) && strcmp(argv[1], "signal") == 0)
    return signal_run(argv[2], argv[3], argv[4], argc == 6 ? argv[5] : NULL);
  if (argc >= 3 && strcmp(argv[1], "disk") == 0) return disk_run(argv + 2);
  if (argc >= 3 && strcmp(argv[1], "overlay") == 0) return changes_run(argv + 2);
  if (argc == 3 && strcmp(argv[1], "map") == 0) return idmap_run(argv[2]);
  if (argc >= 3 && strcmp(argv[1], "fifo") == 0) return fifo_run(argv + 2);
  if (strcmp(mode, "terminal") == 0) return keeper_run();
  if (strcmp(mode, "waiting") == 0) return waiting_run();
  if (strcmp(mode, "probe") == 0) return probe_run();
  if (strcmp(mode, "features") == 0) return features_run();
  if (strcmp(mode, "check") == 0) return check_run();
  if (strcmp(mode, "egress-check") == 0) return egress_check_run();
  fputs(
      "usage: holdfast-native spawner [rootless] [parked=COUNT[,MS]] | probe | donate PID START FD | signal "
      "PID START NUMBER "
      "[VALUE] | fifo PATH... | map DIR | disk ... | overlay ... | waiting | terminal | features | check | "
      "egress-check\n(started "
      "by holdfast; see docs/native-protocol.md)\n",
      stderr);
  return 2;
}
