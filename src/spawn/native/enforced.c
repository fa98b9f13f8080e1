#include "enforced.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cgroup.h"
#include "record.h"

enum { MAX_FILE = 4096 };

static void add_line(struct text *text, const char *name, char *status, const char **comma) {
  size_t length = strlen(name);
  for (char *line = status; line != NULL; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncmp(line, name, length) != 0 || line[length] != ':') continue;
    char *value = line + length + 1, *end = strchrnul(value, '\n'), kept = *end;
    value += strspn(value, " \t");
    while (end > value && end[-1] == ' ') end--;
    kept = *end;
    *end = '\0';
    text_add(text, "%s\"%s\":", *comma, name);
    text_add_string(text, value);
    *end = kept;
    *comma = ",";
    return;
  }
}

static void add_status(struct text *text, char *status) {
  static const char *const names[] = {"Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd",
      "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters"};
  const char *comma = "";
  text_add(text, "\"status\":{");
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) add_line(text, names[i], status, &comma);
  text_add(text, "}");
}

static void add_walls(struct text *text, const struct walls *walls) {
  const char *comma = "";
  text_add(text, ",\"namespaces\":{");
  for (size_t i = 0; i < WALLS; i++) {
    if (walls->missing[i]) continue;
    text_add(text, "%s\"%s\":", comma, wall_names[i]);
    if (walls->links[i][0] != '\0') text_add_string(text, walls->links[i]);
    else text_add(text, "null");
    comma = ",";
  }
  text_add(text, "},\"root\":");
  if (walls->has_root) text_add(text, "\"%" PRIu64 ":%" PRIu64 "\"}", walls->device, walls->inode);
  else text_add(text, "null}");
}

OWN_FRAME void enforced_describe_self(struct text *text) {
  _cleanup_fd_ int self = walls_open();
  struct walls walls;
  char status[MAX_STATUS];
  walls_read(&walls, self, false);
  if (read_file_at(AT_FDCWD, "/proc/self/status", status, sizeof status) < 0) status[0] = '\0';
  text_add(text, "{");
  add_status(text, status);
  add_walls(text, &walls);
}

static OWN_FRAME void add_file(struct text *text, const char *dir, const char *name, const char **comma) {
  char path[PATH_MAX], value[MAX_FILE];
  /* Some can only be written. */
  if (!cgroup_file_path(path, dir, name) || read_file_at(AT_FDCWD, path, value, sizeof value) < 0) return;
  size_t length = strlen(value);
  if (length > 0 && value[length - 1] == '\n') value[length - 1] = '\0';
  text_add(text, "%s{\"path\":", *comma);
  text_add_string(text, path);
  text_add(text, ",\"text\":");
  text_add_string(text, value);
  text_add(text, "}");
  *comma = ",";
}

void enforced_begin(struct text *text, const struct spec *spec, const struct text *own) {
  const char *comma = "";
  text_add(text,
      "{\"format\":\"holdfast.enforced\",\"version\":1,\"at\":%lld,\"shim\":", (long long)realtime_ms());
  if (own->failed || own->length == 0) text->failed = true;
  else text_add(text, "%.*s", (int)own->length, own->data);
  text_add(text, ",\"files\":[");
  for (const struct cgroup *cgroup = spec->cgroups; cgroup != NULL; cgroup = cgroup->next)
    for (const struct cgroup_file *file = cgroup->files; file != NULL; file = file->next)
      add_file(text, cgroup->dir, file->name + (file->name[0] == '?'), &comma);
  text_add(text, "],");
}

static int open_of(pid_t pid, const char *file) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
  return open(path, O_RDONLY | O_CLOEXEC);
}

void enforced_open_process(struct process_files *files, const struct spec *spec, pid_t pid) {
  files->status = open_of(pid, "status");
  files->cgroup = open_of(pid, "cgroup");
  /* Not by prlimit(2), which asks for CAP_SYS_RESOURCE. */
  if (spec->rlimits != NULL) files->limits = open_of(pid, "limits");
}

static void read_once(int *file, char *text, size_t size) {
  if (*file < 0 || read_to_end(*file, text, size) < 0) text[0] = '\0';
  close_fd(file);
}

void enforced_read_process(struct process_files *files, struct process_facts *facts) {
  read_once(&files->cgroup, facts->cgroup, sizeof facts->cgroup);
  read_once(&files->limits, facts->limits, sizeof facts->limits);
  read_once(&files->status, facts->status, sizeof facts->status);
}

/* The whole of a file of the process, or null. */
static void add_text(struct text *text, const char *name, const char *lines) {
  text_add(text, "\"%s\":", name);
  if (lines[0] == '\0') text_add(text, "null,");
  else {
    text_add_string(text, lines);
    text_add(text, ",");
  }
}

void enforced_add_process(struct text *text, struct process_facts *facts, const struct walls *walls) {
  add_text(text, "cgroups", facts->cgroup);
  add_text(text, "limits", facts->limits);
  text_add(text, "\"task\":{");
  add_status(text, facts->status);
  add_walls(text, walls);
  text_add(text, "}\n");
}

bool enforced_store(const struct text *text, int dir) {
  if (text->failed) return errno = ENOMEM, false;
  return record_store(dir, "enforced.json.tmp", "enforced.json", text);
}
