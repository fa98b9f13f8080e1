#include "control.h"
#include <string.h>

static bool parse_signal(const char *text, int *signal) {
  int64_t number;
  if (!parse_number(text, 1, 64, &number)) return false;
  *signal = (int)number;
  return true;
}

static bool parse_refusal(const char *line, struct command *command) {
  static const struct {
    const char text[20];
    enum stage stage;
  } known[] = {{"refuse limit ", STAGE_LIMIT}, {"refuse isolation ", STAGE_ISOLATION}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    size_t length = strlen(known[i].text);
    if (strncmp(line, known[i].text, length) != 0) continue;
    *command = (struct command){.kind = COMMAND_REFUSE, .stage = known[i].stage, .detail = line + length};
    return true;
  }
  return false;
}

static struct command parse(char *line) {
  struct command command = {.kind = COMMAND_BAD};
  if (parse_refusal(line, &command)) return command;
  char *words[5] = {0}, *rest = NULL;
  size_t count = 0;
  for (char *word = strtok_r(line, " ", &rest); word != NULL && count < 5; word = strtok_r(NULL, " ", &rest))
    words[count++] = word;
  if (count == 1 && strcmp(words[0], "kill") == 0) command.kind = COMMAND_KILL;
  else if (count == 1 && strcmp(words[0], "go") == 0) command.kind = COMMAND_GO;
  else if (count == 1 && strcmp(words[0], "egress") == 0) command.kind = COMMAND_EGRESS;
  else if (count == 1 && strcmp(words[0], "end") == 0) command.kind = COMMAND_END;
  else if (count == 2 && strcmp(words[0], "signal") == 0 && parse_signal(words[1], &command.signal))
    command.kind = COMMAND_SIGNAL;
  else if ((count == 3 || (count == 4 && strcmp(words[3], "leader") == 0)) && strcmp(words[0], "stop") == 0 &&
           parse_signal(words[1], &command.signal) &&
           parse_number(words[2], 0, INT64_MAX / 4, &command.grace_ms)) {
    command.kind = COMMAND_STOP;
    command.leader_only = count == 4;
  } else if (count == 2 && strcmp(words[0], "wall") == 0 &&
             parse_number(words[1], 1, INT64_MAX / 4, &command.timeout_ms))
    command.kind = COMMAND_TIMEOUT;
  else if (count == 2 && strcmp(words[0], "output") == 0 &&
           parse_number(words[1], 1, INT64_MAX / 4, &command.max_output))
    command.kind = COMMAND_OUTPUT;
  else if (count == 2 && strcmp(words[0], "oom") == 0 &&
           (strcmp(words[1], "task") == 0 || strcmp(words[1], "process") == 0)) {
    command.kind = COMMAND_OOM;
    command.whole_task = strcmp(words[1], "task") == 0;
  } else if (count == 3 && strcmp(words[0], "size") == 0 && parse_number(words[1], 1, 65535, &command.rows) &&
             parse_number(words[2], 1, 65535, &command.columns))
    command.kind = COMMAND_SIZE;
  return command;
}

void control_feed(struct control *control, const char *bytes, size_t count,
    void handle_command(const struct command *command, void *context), void *context) {
  for (size_t i = 0; i < count; i++) {
    if (bytes[i] != '\n') {
      /* A NUL would hide what follows it. */
      if (control->used < MAX_CONTROL_LINE && bytes[i] != '\0') control->line[control->used++] = bytes[i];
      else control->too_long = true;
      continue;
    }
    /* A writer begins with a newline, which ends whatever another one left unfinished. */
    if (control->used == 0 && !control->too_long) continue;
    control->line[control->used] = '\0';
    struct command command = control->too_long ? (struct command){.kind = COMMAND_BAD} : parse(control->line);
    control->used = 0;
    control->too_long = false;
    handle_command(&command, context);
  }
}

bool control_unpack(uint64_t value, struct command *command) {
  int number = (int)(value & 0x7f);
  if (number < 1 || number > 64 || value > INT64_MAX) return false;
  *command = (struct command){.kind = COMMAND_STOP,
      .signal = number,
      .leader_only = (value & 0x80) != 0,
      .grace_ms = (int64_t)(value >> 8)};
  return true;
}
