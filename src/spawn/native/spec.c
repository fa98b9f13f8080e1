#include "spec.h"
#include <limits.h>
#include <sched.h>
#include <string.h>
#include "egress_rules.h"

struct reader {
  char *next, *end;
  char *list_next, *list_end;
  /* The ends of the lists under construction. */
  struct rlimit_spec **rlimit;
  struct cgroup **cgroup, **deferred_cgroup;
  struct cgroup_file **file;
  struct mount_op **mount, *last_mount;
  struct landlock_rule **landlock;
  struct secret **secret;
  size_t secret_size;
  struct request *request;
  struct egress_text **egress;
  size_t egress_size;
  /* The option at hand. */
  const char *option;
  size_t arg_count, env_count;
  struct spec *spec;
};

/* Zeroed, aligned for a pointer. Never short: spec_parse sized the lists by the number of fields. */
static void *take(struct reader *reader, size_t size) {
  size = (size + 7) & ~(size_t)7;
  if ((size_t)(reader->list_end - reader->list_next) < size) abort();
  void *piece = reader->list_next;
  reader->list_next += size;
  return piece;
}

static char *field(struct reader *reader) {
  if (reader->next == reader->end) return NULL;
  char *text = reader->next;
  reader->next += strlen(text) + 1;
  return text;
}

typedef const char *handler(struct reader *reader, char **operands);

static bool is_absolute(const char *path) { return path[0] == '/' && strlen(path) < PATH_MAX; }

/* Inside the new root every path is walked component by component, and neither `.` nor `..` may be one. */
static bool is_plain_path(const char *path) {
  if (!is_absolute(path) || path[1] == '\0') return false;
  for (const char *part = path; part != NULL; part = strchr(part, '/')) {
    part += strspn(part, "/");
    size_t length = strcspn(part, "/");
    if ((length == 1 && part[0] == '.') || (length == 2 && part[0] == '.' && part[1] == '.')) return false;
  }
  return true;
}

#define SET_PATH(member)                                                                                     \
  static const char *set_##member(struct reader *reader, char **operands) {                                  \
    if (!is_absolute(operands[0])) return #member " takes an absolute path";                                 \
    reader->spec->member = operands[0];                                                                      \
    return NULL;                                                                                             \
  }
SET_PATH(dir)
SET_PATH(cwd)
SET_PATH(oom_file)
SET_PATH(freezer)
SET_PATH(network_path)
SET_PATH(lifeline)

static const char *set_inside(struct reader *reader, char **operands) {
  reader->spec->inside.alive = operands[0];
  return is_absolute(operands[0]) ? NULL : "inside takes an absolute path";
}
static const char *set_identity(struct identity *identity, char **operands) {
  int64_t pid, start;
  if (!parse_number(operands[0], 1, INT32_MAX, &pid) || !parse_number(operands[1], 0, INT64_MAX, &start))
    return "a process is named by a pid and a start time";
  *identity = (struct identity){(pid_t)pid, (uint64_t)start};
  return NULL;
}
static const char *set_inside_leader(struct reader *reader, char **operands) {
  return set_identity(&reader->spec->inside.leader, operands);
}
static const char *set_inside_init(struct reader *reader, char **operands) {
  return set_identity(&reader->spec->inside.init, operands);
}
static const char *set_donor(struct reader *reader, char **operands) {
  return set_identity(&reader->spec->donor, operands);
}

static const char *set_path(struct reader *reader, char **operands) {
  reader->spec->path = operands[0];
  return operands[0][0] == '\0' ? "path is empty" : NULL;
}
static const char *add_arg(struct reader *reader, char **operands) {
  reader->spec->argv[reader->arg_count++] = operands[0];
  return NULL;
}
static const char *add_env(struct reader *reader, char **operands) {
  reader->spec->envp[reader->env_count++] = operands[0];
  return strchr(operands[0], '=') == NULL ? "env takes NAME=value" : NULL;
}
static const char *set_umask(struct reader *reader, char **operands) {
  return parse_octal(operands[0], &reader->spec->umask) && reader->spec->umask <= 0777
             ? NULL
             : "umask takes an octal number up to 777";
}
static const char *set_credentials(struct reader *reader, char **operands) {
  int64_t uid, gid;
  /* -1 would mean "leave as it is" to setresuid. */
  if (!parse_number(operands[0], 0, UINT32_MAX - 1, &uid) ||
      !parse_number(operands[1], 0, UINT32_MAX - 1, &gid))
    return "credentials takes a uid and a gid";
  reader->spec->has_credentials = true;
  reader->spec->uid = (uid_t)uid;
  reader->spec->gid = (gid_t)gid;
  return NULL;
}
static const char *add_group(struct reader *reader, char **operands) {
  int64_t gid;
  if (!parse_number(operands[0], 0, UINT32_MAX - 1, &gid)) return "group takes a gid";
  reader->spec->groups[reader->spec->group_count++] = (gid_t)gid;
  return NULL;
}
int external_descriptor(const struct file_target *target) {
  int64_t number;
  if (target->base != NULL || strncmp(target->path, "fd:", 3) != 0) return -1;
  return parse_number(target->path + 3, 0, MAX_DESCRIPTOR, &number) ? (int)number : -1;
}
static const char *set_file(struct file_target *target, char **operands) {
  *target = (struct file_target){operands[0][0] == '\0' ? NULL : operands[0], operands[1]};
  if (target->base != NULL && !is_absolute(target->base)) return "the base of a file takes an absolute path";
  if (target->base == NULL && !is_absolute(target->path) && external_descriptor(target) < 0)
    return "a file without base takes an absolute path, or fd: and a number";
  if (target->path[0] == '\0' || (target->base != NULL && target->path[0] == '/'))
    return "a file beneath a base takes a relative path";
  return NULL;
}
static const char *set_in(struct reader *reader, char **operands) {
  return set_file(&reader->spec->in, operands);
}
static const char *set_out(struct reader *reader, char **operands) {
  return set_file(&reader->spec->out, operands);
}
static const char *set_err(struct reader *reader, char **operands) {
  return set_file(&reader->spec->err, operands);
}
static const char *set_log_rotation(struct reader *reader, char **operands) {
  int64_t files;
  if (!parse_number(operands[0], 4096, INT64_MAX / 4, &reader->spec->max_log) ||
      !parse_number(operands[1], 2, 100, &files))
    return "log-rotation takes bytes, 4096 or more, and a number of files, 2 to 100";
  reader->spec->log_files = (int)files;
  return NULL;
}
static const char *set_log_mode(struct reader *reader, char **operands) {
  reader->spec->log_increment = strcmp(operands[0], "increment") == 0;
  reader->spec->log_collected = strcmp(operands[0], "collected") == 0;
  bool known = reader->spec->log_increment || reader->spec->log_collected;
  return known ? NULL : "log-mode takes increment or collected";
}
static const char *set_log_plain(struct reader *reader, char **operands) {
  int index = strcmp(operands[0], "stdout") == 0 ? 0 : strcmp(operands[0], "stderr") == 0 ? 1 : -1;
  if (index < 0) return "log-plain takes stdout or stderr";
  reader->spec->log_plain[index] = true;
  return NULL;
}
static const char *set_nice(struct reader *reader, char **operands) {
  int64_t value;
  if (!parse_number(operands[0], -20, 19, &value)) return "nice takes -20 to 19";
  reader->spec->has_nice = true;
  reader->spec->nice = (int)value;
  return NULL;
}
static const char *set_oom_score_adj(struct reader *reader, char **operands) {
  int64_t value;
  if (!parse_number(operands[0], -1000, 1000, &value)) return "oom-score-adj takes -1000 to 1000";
  reader->spec->has_oom_score_adj = true;
  reader->spec->oom_score_adj = (int)value;
  return NULL;
}

static const char *set_cpu_policy(struct reader *reader, char **operands) {
  static const struct {
    const char *name;
    int policy;
  } known[] = {{"other", SCHED_OTHER}, {"batch", SCHED_BATCH}, {"idle", SCHED_IDLE}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (strcmp(operands[0], known[i].name) != 0) continue;
    reader->spec->has_cpu_policy = true;
    reader->spec->cpu_policy = known[i].policy;
    return NULL;
  }
  return "cpu-policy takes other, batch or idle";
}

static const char *set_oom(struct reader *reader, char **operands) {
  if (strcmp(operands[0], "task") == 0) reader->spec->oom = OOM_TASK;
  else if (strcmp(operands[0], "process") == 0) reader->spec->oom = OOM_PROCESS;
  else return "oom takes task or process";
  return NULL;
}

static const char *set_terminal(struct reader *reader, char **operands) {
  int64_t rows, columns;
  if (!parse_number(operands[0], 1, 65535, &rows) || !parse_number(operands[1], 1, 65535, &columns))
    return "terminal takes rows and columns, 1 to 65535";
  reader->spec->terminal_rows = (int)rows;
  reader->spec->terminal_columns = (int)columns;
  return NULL;
}

static int resource_of(const char *name) {
  static const struct {
    char name[12];
    int resource;
  } known[] = {
      {"as", RLIMIT_AS},
      {"core", RLIMIT_CORE},
      {"cpu", RLIMIT_CPU},
      {"data", RLIMIT_DATA},
      {"fsize", RLIMIT_FSIZE},
      {"locks", RLIMIT_LOCKS},
      {"memlock", RLIMIT_MEMLOCK},
      {"msgqueue", RLIMIT_MSGQUEUE},
      {"nice", RLIMIT_NICE},
      {"nofile", RLIMIT_NOFILE},
      {"nproc", RLIMIT_NPROC},
      {"rss", RLIMIT_RSS},
      {"rtprio", RLIMIT_RTPRIO},
      {"rttime", RLIMIT_RTTIME},
      {"sigpending", RLIMIT_SIGPENDING},
      {"stack", RLIMIT_STACK},
  };
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strcmp(known[i].name, name) == 0) return known[i].resource;
  return -1;
}

static bool parse_limit(const char *text, rlim_t *limit) {
  int64_t value;
  if (!parse_number(text, -1, INT64_MAX, &value)) return false;
  *limit = value < 0 ? RLIM_INFINITY : (rlim_t)value;
  return true;
}

static const char *add_rlimit(struct reader *reader, char **operands) {
  struct rlimit_spec *limit = take(reader, sizeof *limit);
  limit->name = operands[0];
  limit->resource = resource_of(operands[0]);
  if (limit->resource < 0) return "rlimit is of an unknown name";
  if (!parse_limit(operands[1], &limit->value.rlim_cur) || !parse_limit(operands[2], &limit->value.rlim_max))
    return "rlimit takes two numbers";
  *reader->rlimit = limit;
  reader->rlimit = &limit->next;
  return NULL;
}
static const char *set_timeout(struct reader *reader, char **operands) {
  return parse_number(operands[0], 0, INT64_MAX / 4, &reader->spec->timeout_ms) ? NULL
                                                                                : "wall takes milliseconds";
}
static const char *set_output_limit(struct reader *reader, char **operands) {
  return parse_number(operands[0], 1, INT64_MAX / 4, &reader->spec->max_output)
             ? NULL
             : "output-limit takes bytes, 1 or more";
}
static const char *set_hold(struct reader *reader, char **operands) {
  return parse_number(operands[0], 1, INT64_MAX / 4, &reader->spec->hold_ms)
             ? NULL
             : "hold takes milliseconds, 1 or more";
}
static const char *set_grace(struct reader *reader, char **operands) {
  return parse_number(operands[0], 0, INT64_MAX / 4, &reader->spec->grace_ms) ? NULL
                                                                              : "grace takes milliseconds";
}

static const char *set_flag(bool *flag, char **operands) {
  int64_t value;
  if (!parse_number(operands[0], 0, 1, &value)) return "a flag takes 0 or 1";
  *flag = value == 1;
  return NULL;
}
static const char *set_durable(struct reader *reader, char **operands) {
  return set_flag(&reader->spec->durable, operands);
}
static const char *set_stdin_open(struct reader *reader, char **operands) {
  return set_flag(&reader->spec->stdin_open, operands);
}
static const char *set_no_new_privileges(struct reader *reader, char **operands) {
  return set_flag(&reader->spec->no_new_privileges, operands);
}
static const char *set_seccomp(struct reader *reader, char **operands) {
  return set_flag(&reader->spec->seccomp, operands);
}

static const char *set_offline(struct reader *reader, char **operands) {
  return set_flag(&reader->spec->offline, operands);
}

static const char *append_cgroup(struct reader *reader, char **operands, bool external) {
  if (!is_plain_path(operands[0])) return "cgroup takes an absolute path without . and ..";
  struct cgroup *cgroup = take(reader, sizeof *cgroup);
  cgroup->dir = operands[0];
  cgroup->external = external;
  *reader->cgroup = cgroup;
  reader->cgroup = &cgroup->next;
  reader->file = &cgroup->files;
  return NULL;
}
static const char *add_cgroup(struct reader *reader, char **operands) {
  return append_cgroup(reader, operands, false);
}
static const char *add_cgroup_external(struct reader *reader, char **operands) {
  return append_cgroup(reader, operands, true);
}
static const char *add_cgroup_deferred(struct reader *reader, char **operands) {
  if (!is_plain_path(operands[0])) return "cgroup-deferred takes an absolute path without . and ..";
  struct cgroup *cgroup = take(reader, sizeof *cgroup);
  cgroup->dir = operands[0];
  *reader->deferred_cgroup = cgroup;
  reader->deferred_cgroup = &cgroup->next;
  return NULL;
}
static const char *add_cgroup_file(struct reader *reader, char **operands) {
  if (reader->file == NULL) return "cgroup-file comes before any cgroup";
  const char *name = operands[0] + (operands[0][0] == '?');
  if (name[0] == '\0' || strchr(name, '/') != NULL || strlen(name) > NAME_MAX)
    return "cgroup-file takes a file name";
  struct cgroup_file *file = take(reader, sizeof *file);
  file->name = operands[0];
  file->value = operands[1];
  *reader->file = file;
  reader->file = &file->next;
  return NULL;
}
static const char *add_namespace(struct reader *reader, char **operands) {
  static const struct {
    char name[12];
    unsigned bit;
  } known[] = {
      {"pid", NAMESPACE_PID},
      {"mount", NAMESPACE_MOUNT},
      {"ipc", NAMESPACE_IPC},
      {"uts", NAMESPACE_UTS},
      {"cgroup", NAMESPACE_CGROUP},
      {"network", NAMESPACE_NETWORK},
  };
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strcmp(known[i].name, operands[0]) == 0) {
      reader->spec->namespaces |= known[i].bit;
      return NULL;
    }
  return "namespace is of an unknown name";
}
static const char *set_egress(struct reader *reader, char **operands) {
  int64_t port;
  if (!parse_number(operands[0], 1, 65535, &port)) return "egress takes a port, 1 to 65535";
  reader->spec->egress_port = (int)port;
  return NULL;
}
static const char *add_egress_allow(struct reader *reader, char **operands) {
  char copy[EGRESS_NAME_MAX + 32];
  struct egress_rule parsed;
  size_t length = strlen(operands[0]);
  if (length >= sizeof copy || strchr(operands[0], '\n') != NULL ||
      !egress_rule_parse(strcpy(copy, operands[0]), &parsed))
    return "egress-allow takes name HOST PORT, suffix .DOMAIN PORT or prefix ADDRESS/LENGTH PORT";
  if ((reader->egress_size += length + 1) >= EGRESS_TEXT_MAX)
    return "egress-allow takes less than 60000 bytes in all";
  struct egress_text *rule = take(reader, sizeof *rule);
  rule->text = operands[0];
  *reader->egress = rule;
  reader->egress = &rule->next;
  return NULL;
}
static const char *set_hostname(struct reader *reader, char **operands) {
  reader->spec->hostname = operands[0];
  return strlen(operands[0]) > 64 ? "hostname takes up to 64 bytes" : NULL;
}

static const char *add_mount(struct reader *reader, struct mount_op op) {
  if (!is_plain_path(op.at)) return "root-* takes an absolute path other than /, without . and ..";
  struct mount_op *kept = take(reader, sizeof *kept);
  *kept = op;
  kept->fd = kept->state_fd = -1;
  if (reader->spec->root == NULL) reader->spec->shared_text = reader->option;
  *reader->mount = reader->last_mount = kept;
  reader->mount = &kept->next;
  return NULL;
}
static const char *add_dir(struct reader *reader, char **operands) {
  struct mount_op op = {.kind = MOUNT_DIR, .at = operands[0]};
  return parse_octal(operands[1], &op.mode) ? add_mount(reader, op) : "root-dir takes an octal mode";
}
static const char *add_symlink(struct reader *reader, char **operands) {
  if (operands[0][0] == '\0') return "root-symlink is empty";
  return add_mount(
      reader, (struct mount_op){.kind = MOUNT_SYMLINK, .source = operands[0], .at = operands[1]});
}
static const char *add_bind(struct reader *reader, char **operands) {
  struct mount_op op = {.kind = MOUNT_BIND, .base = operands[0], .source = operands[1], .at = operands[2]};
  if (!is_absolute(op.source)) return "root-bind takes an absolute source";
  size_t base = strlen(op.base);
  if (base == 0) op.base = NULL;
  else if (!is_absolute(op.base) || strncmp(op.source, op.base, base) != 0 || op.source[base] != '/')
    return "root-bind takes a base that its source begins with";
  for (const char *flag = operands[3]; *flag != '\0';) {
    size_t length = strcspn(flag, ",");
    if (length == 2 && strncmp(flag, "ro", 2) == 0) op.read_only = true;
    else if (length == 3 && strncmp(flag, "dev", 3) == 0) op.devices = true;
    else return "root-bind takes the flags ro and dev";
    flag += length;
    flag += *flag == ',';
  }
  return add_mount(reader, op);
}
static const char *add_overlay(struct reader *reader, char **operands) {
  struct mount_op op = {
      .kind = MOUNT_OVERLAY, .source = operands[0], .state = operands[1], .at = operands[2]};
  if (!is_absolute(op.source) || !is_plain_path(op.state))
    return "root-overlay takes an absolute source and an absolute directory without . and ..";
  return add_mount(reader, op);
}
static const char *add_entries(struct reader *reader, char **operands) {
  if (!is_absolute(operands[0])) return "root-entries takes an absolute source";
  return add_mount(
      reader, (struct mount_op){.kind = MOUNT_ENTRIES, .source = operands[0], .at = operands[1]});
}
/* One namespace does for all mounts with the same map. NULL: there are too many of them. */
static const struct file_map *file_map_of(struct reader *reader, const struct id_map *ids) {
  size_t count = 0;
  for (const struct file_map *map = reader->spec->maps; map != NULL; map = map->next, count++)
    if (memcmp(&map->ids, ids, sizeof *ids) == 0) return map;
  if (count == MAX_MAPS) return NULL;
  struct file_map *made = take(reader, sizeof *made);
  *made = (struct file_map){.next = reader->spec->maps, .ids = *ids, .fd = -1};
  reader->spec->maps = made;
  return made;
}
static const char *set_map(struct reader *reader, char **operands) {
  struct mount_op *op = reader->last_mount;
  if (op == NULL || op->map != NULL || (op->kind != MOUNT_BIND && op->kind != MOUNT_OVERLAY))
    return "root-map comes once after a root-bind or a root-overlay";
  int64_t ids[4];
  for (size_t i = 0; i < 4; i++)
    if (!parse_number(operands[i], 0, UINT32_MAX - 1, &ids[i]))
      return "root-map takes the uid and gid of an owner and of a user";
  const struct id_map map = {.owner_uid = (uid_t)ids[0],
      .owner_gid = (gid_t)ids[1],
      .user_uid = (uid_t)ids[2],
      .user_gid = (gid_t)ids[3]};
  op->map = file_map_of(reader, &map);
  return op->map == NULL ? "root-map takes two maps at most" : NULL;
}
static const char *add_tmpfs(struct reader *reader, char **operands) {
  struct mount_op op = {.kind = MOUNT_TMPFS, .at = operands[0]};
  int64_t size;
  if (!parse_number(operands[1], 0, INT64_MAX, &size) || !parse_octal(operands[2], &op.mode))
    return "root-tmpfs takes a size and an octal mode";
  op.size = (uint64_t)size;
  return add_mount(reader, op);
}
static const char *add_proc(struct reader *reader, char **operands) {
  return add_mount(reader, (struct mount_op){.kind = MOUNT_PROC, .at = operands[0]});
}
static const char *add_mqueue(struct reader *reader, char **operands) {
  return add_mount(reader, (struct mount_op){.kind = MOUNT_MQUEUE, .at = operands[0]});
}
static const char *add_pts(struct reader *reader, char **operands) {
  struct mount_op op = {.kind = MOUNT_PTS, .at = operands[0]};
  return parse_number(operands[1], -1, UINT32_MAX - 1, &op.gid) ? add_mount(reader, op)
                                                                : "root-pts takes a gid, or -1";
}
static const char *add_file(struct reader *reader, char **operands) {
  struct mount_op op = {.kind = MOUNT_FILE, .at = operands[0], .source = operands[1], .text = operands[2]};
  if (op.source[0] == '\0') op.source = NULL;
  else if (!is_absolute(op.source)) return "root-file takes an absolute source, or none";
  return add_mount(reader, op);
}
static const char *add_node(struct reader *reader, char **operands) {
  int64_t major, minor;
  if (!parse_number(operands[1], 0, 4095, &major) || !parse_number(operands[2], 0, 0xfffff, &minor))
    return "root-node takes two numbers";
  return add_mount(
      reader, (struct mount_op){
                  .kind = MOUNT_NODE, .at = operands[0], .major = (unsigned)major, .minor = (unsigned)minor});
}
static const char *add_mask(struct reader *reader, char **operands) {
  return add_mount(reader, (struct mount_op){.kind = MOUNT_MASK, .at = operands[0]});
}
static const char *add_readonly(struct reader *reader, char **operands) {
  return add_mount(reader, (struct mount_op){.kind = MOUNT_READONLY, .at = operands[0]});
}
static const char *add_freeze(struct reader *reader, char **operands) {
  return add_mount(reader, (struct mount_op){.kind = MOUNT_FREEZE, .at = operands[0]});
}

/* What can be put together in one place and look the same in all. A base is where a task may have arranged
 * things. */
static bool is_sharable(const struct mount_op *op) {
  if (op->kind == MOUNT_BIND) return op->base == NULL && op->read_only && op->map == NULL;
  return op->kind == MOUNT_DIR || op->kind == MOUNT_SYMLINK || op->kind == MOUNT_NODE;
}
static const char *set_shared(struct reader *reader, char **operands) {
  (void)operands;
  struct spec *spec = reader->spec;
  if (spec->root == NULL) return "root-shared comes before any other root-*";
  for (const struct mount_op *op = spec->root; op != NULL; op = op->next)
    if (!is_sharable(op))
      return "root-shared takes root-dir, root-symlink, root-node and read-only root-bind without a base";
  spec->root_own = reader->mount;
  spec->shared_size = (size_t)(reader->option - spec->shared_text);
  return NULL;
}

static const char *set_capabilities(struct reader *reader, char **operands) {
  reader->spec->has_capabilities = true;
  for (char *next = operands[0]; *next != '\0';) {
    size_t digits = strspn(next, "0123456789");
    unsigned long number = digits == 0 || digits > 2 ? 64 : strtoul(next, NULL, 10);
    if (number > 63) return "capabilities takes numbers up to 63";
    reader->spec->capabilities |= UINT64_C(1) << number;
    next += digits;
    if (*next == ',' && next[1] != '\0') next++;
    else if (*next != '\0') return "capabilities takes a comma list";
  }
  return NULL;
}

static const char *add_landlock(struct reader *reader, char **operands) {
  static const char names[][8] = {[LANDLOCK_LIST] = "list",
      [LANDLOCK_READ] = "read",
      [LANDLOCK_DEVICE] = "device",
      [LANDLOCK_WRITE] = "write"};
  if (strcmp(operands[0], "/") != 0 && !is_plain_path(operands[0]))
    return "landlock takes an absolute path without . and ..";
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (strcmp(names[i], operands[1]) != 0) continue;
    struct landlock_rule *rule = take(reader, sizeof *rule);
    rule->at = operands[0];
    rule->access = (enum landlock_access)i;
    *reader->landlock = rule;
    reader->landlock = &rule->next;
    return NULL;
  }
  return "landlock takes list, read, device or write";
}
static const char *add_landlock_scope(struct reader *reader, char **operands) {
  if (strcmp(operands[0], "signal") == 0) reader->spec->scopes |= LANDLOCK_SIGNALS;
  else if (strcmp(operands[0], "abstract") == 0) reader->spec->scopes |= LANDLOCK_ABSTRACT_SOCKETS;
  else return "landlock-scope takes signal or abstract";
  return NULL;
}

static const char *add_secrets(struct reader *reader, char **operands) {
  return add_mount(reader, (struct mount_op){.kind = MOUNT_SECRETS, .at = operands[0]});
}

static bool is_file_name(const char *name) {
  return name[0] != '\0' && strchr(name, '/') == NULL && strlen(name) <= NAME_MAX && strcmp(name, ".") != 0 &&
         strcmp(name, "..") != 0;
}
static int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}
/* In place, and nothing of the digits stays. */
static bool decode_hex(char *text, size_t *size) {
  size_t length = strlen(text);
  if (length % 2 != 0) return false;
  for (size_t i = 0; i < length; i += 2) {
    int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    text[i / 2] = (char)(high << 4 | low);
  }
  *size = length / 2;
  memset(text + *size, 0, length - *size);
  return true;
}
static const char *add_secret(struct reader *reader, char **operands) {
  size_t size;
  if (reader->request->secrets == NULL) reader->request->secrets = operands[1];
  if (!is_file_name(operands[0])) return "secret takes the name of a file";
  if (!decode_hex(operands[1], &size)) return "secret takes bytes in lower-case hexadecimal digits";
  if ((reader->secret_size += size) > MAX_SECRETS) return "all secrets together take 4 MiB at most";
  struct secret *secret = take(reader, sizeof *secret);
  *secret = (struct secret){.name = operands[0], .bytes = operands[1], .size = size};
  *reader->secret = secret;
  reader->secret = &secret->next;
  return NULL;
}

enum { MAX_OPERANDS = 4 };
static const struct option {
  char name[20];
  int operands;
  bool repeats;
  handler *handle;
} options[] = {
    {"dir", 1, false, set_dir},
    {"path", 1, false, set_path},
    {"arg", 1, true, add_arg},
    {"env", 1, true, add_env},
    {"cwd", 1, false, set_cwd},
    {"umask", 1, false, set_umask},
    {"credentials", 2, false, set_credentials},
    {"group", 1, true, add_group},
    {"stdin", 2, false, set_in},
    {"stdin-open", 1, false, set_stdin_open},
    {"stdout", 2, false, set_out},
    {"stderr", 2, false, set_err},
    {"terminal", 2, false, set_terminal},
    {"donor", 2, false, set_donor},
    {"log-rotation", 2, false, set_log_rotation},
    {"log-mode", 1, false, set_log_mode},
    {"log-plain", 1, true, set_log_plain},
    {"nice", 1, false, set_nice},
    {"oom-score-adj", 1, false, set_oom_score_adj},
    {"cpu-policy", 1, false, set_cpu_policy},
    {"rlimit", 3, true, add_rlimit},
    {"wall", 1, false, set_timeout},
    {"output-limit", 1, false, set_output_limit},
    {"grace", 1, false, set_grace},
    {"hold", 1, false, set_hold},
    {"durable", 1, false, set_durable},
    {"lifeline", 1, false, set_lifeline},
    {"cgroup", 1, true, add_cgroup},
    {"cgroup-external", 1, true, add_cgroup_external},
    {"cgroup-file", 2, true, add_cgroup_file},
    {"cgroup-deferred", 1, true, add_cgroup_deferred},
    {"oom-file", 1, false, set_oom_file},
    {"oom", 1, false, set_oom},
    {"freezer", 1, false, set_freezer},
    {"inside", 1, false, set_inside},
    {"inside-leader", 2, false, set_inside_leader},
    {"inside-init", 2, false, set_inside_init},
    {"namespace", 1, true, add_namespace},
    {"network-path", 1, false, set_network_path},
    {"egress", 1, false, set_egress},
    {"egress-allow", 1, true, add_egress_allow},
    {"hostname", 1, false, set_hostname},
    {"root-dir", 2, true, add_dir},
    {"root-symlink", 2, true, add_symlink},
    {"root-bind", 4, true, add_bind},
    {"root-overlay", 3, false, add_overlay},
    {"root-entries", 2, true, add_entries},
    {"root-map", 4, true, set_map},
    {"root-tmpfs", 3, true, add_tmpfs},
    {"root-proc", 1, true, add_proc},
    {"root-pts", 2, true, add_pts},
    {"root-mqueue", 1, true, add_mqueue},
    {"root-file", 3, true, add_file},
    {"root-node", 3, true, add_node},
    {"root-mask", 1, true, add_mask},
    {"root-readonly", 1, true, add_readonly},
    {"root-secrets", 1, false, add_secrets},
    {"root-freeze", 1, true, add_freeze},
    {"root-shared", 0, false, set_shared},
    {"capabilities", 1, false, set_capabilities},
    {"no-new-privileges", 1, false, set_no_new_privileges},
    {"seccomp", 1, false, set_seccomp},
    {"offline", 1, false, set_offline},
    {"landlock", 2, true, add_landlock},
    {"landlock-scope", 1, true, add_landlock_scope},
    {"secret", 2, true, add_secret},
};
enum { OPTION_COUNT = sizeof options / sizeof options[0] };

static const char *parse_option(struct reader *reader, const char *name, bool *seen) {
  reader->option = name;
  for (size_t i = 0; i < OPTION_COUNT; i++) {
    if (strcmp(options[i].name, name) != 0) continue;
    if (seen[i] && !options[i].repeats) return "an option comes twice";
    seen[i] = true;
    /* What comes after them is wiped with them. */
    if (reader->request->secrets != NULL && options[i].handle != add_secret)
      return "secret comes before another option";
    char *operands[MAX_OPERANDS] = {0};
    for (int k = 0; k < options[i].operands; k++)
      if ((operands[k] = field(reader)) == NULL) return "an operand is missing";
    return options[i].handle(reader, operands);
  }
  return "an option is of an unknown name";
}

/* Everything of the task's is entered as it is; what is made are cgroups below its own. */
static const char *check_inside(const struct spec *spec) {
  const struct inside *inside = &spec->inside;
  if (inside->alive == NULL)
    return inside->leader.pid != 0 || inside->init.pid != 0 ? "inside-* without inside" : NULL;
  if (inside->init.pid != 0 && inside->leader.pid == 0) return "inside-init without inside-leader";
  if (spec->namespaces != 0 || spec->network_path != NULL || spec->freezer != NULL)
    return "inside with namespace, network-path or freezer";
  for (const struct cgroup *cgroup = spec->cgroups; cgroup != NULL; cgroup = cgroup->next)
    if ((cgroup->external && cgroup->files != NULL) || inside->leader.pid == 0)
      return "inside with cgroup-external and cgroup-file, or with a cgroup and no inside-leader";
  if (spec->deferred_cgroups != NULL && inside->leader.pid == 0)
    return "inside with cgroup-deferred and no inside-leader";
  return NULL;
}

static bool has_place_for_secrets(const struct spec *spec) {
  for (const struct mount_op *op = spec->root; op != NULL; op = op->next)
    if (op->kind == MOUNT_SECRETS) return true;
  return false;
}

/* What would act on the host instead of on the task is refused here, before anything is forked. */
static const char *check_whole(const struct spec *spec, size_t arg_count) {
  if (spec->dir == NULL) return "dir is missing";
  if (spec->path == NULL) return "path is missing";
  if (arg_count == 0) return "arg is missing";
  if (spec->grace_ms < 0) return "grace is missing";
  if (spec->root != NULL && (spec->namespaces & NAMESPACE_MOUNT) == 0)
    return "root-* without namespace mount";
  if (spec->hostname != NULL && (spec->namespaces & NAMESPACE_UTS) == 0)
    return "hostname without namespace uts";
  if (spec->network_path != NULL && (spec->namespaces & NAMESPACE_NETWORK) != 0)
    return "network-path with namespace network";
  if (spec->egress_port != 0 && (spec->namespaces & NAMESPACE_NETWORK) == 0)
    return "egress without namespace network";
  if (spec->egress != NULL && spec->egress_port == 0) return "egress-allow without egress";
  for (const struct cgroup *cgroup = spec->cgroups; cgroup != NULL; cgroup = cgroup->next)
    if (cgroup->external && (spec->namespaces & NAMESPACE_PID) == 0 && spec->inside.leader.pid == 0)
      return "cgroup-external without namespace pid";
  if (spec->oom != OOM_LEFT && spec->oom_file == NULL) return "oom without oom-file";
  if (spec->secrets != NULL && !has_place_for_secrets(spec)) return "secret without root-secrets";
  if (spec->group_count > 0 && !spec->has_credentials) return "group without credentials";
  return check_inside(spec);
}

const char *spec_parse(struct request *request, struct spec *spec) {
  *spec = (struct spec){.cwd = "/",
      .in = {NULL, "/dev/null"},
      .out = {NULL, "/dev/null"},
      .err = {NULL, "/dev/null"},
      .umask = 022,
      .grace_ms = -1,
      .prepared_root = -1};
  struct reader reader = {
      .next = request->frame, .end = request->frame + request->frame_size, .request = request, .spec = spec};
  if (reader.end[-1] != '\0') return "the last field is not ended";

  size_t fields = 0;
  for (const char *byte = request->frame; byte < reader.end; byte++) fields += *byte == '\0';
  /* Every list element comes from at least two fields; the largest is a mount. */
  request->lists_size =
      (fields + 2) * (2 * sizeof(char *) + sizeof(gid_t)) + (fields / 2 + 1) * sizeof(struct mount_op) + 64;
  request->lists = pages_allocate(request->lists_size);
  if (request->lists == NULL) return "no memory";
  reader.list_next = request->lists;
  reader.list_end = reader.list_next + request->lists_size;
  spec->argv = take(&reader, (fields + 1) * sizeof(char *));
  spec->envp = take(&reader, (fields + 1) * sizeof(char *));
  spec->groups = take(&reader, fields * sizeof(gid_t));
  reader.rlimit = &spec->rlimits;
  reader.cgroup = &spec->cgroups;
  reader.deferred_cgroup = &spec->deferred_cgroups;
  reader.mount = &spec->root;
  reader.landlock = &spec->landlock;
  reader.secret = &spec->secrets;
  reader.egress = &spec->egress;

  const char *verb = field(&reader);
  const char *id = field(&reader);
  int64_t number;
  if (id == NULL || !parse_number(id, 1, INT32_MAX, &number)) return "the id is no number from 1 up";
  spec->id = (int)number;
  if (strcmp(verb, "launch") != 0) return "the verb is unknown";
  bool seen[OPTION_COUNT] = {false};
  for (const char *name; (name = field(&reader)) != NULL;) {
    const char *why = parse_option(&reader, name, seen);
    if (why != NULL) return why;
  }
  return check_whole(spec, reader.arg_count);
}

void request_wipe(const struct request *request) {
  if (request->secrets != NULL)
    explicit_bzero(request->secrets, (size_t)(request->frame + request->frame_size - request->secrets));
}

void request_release(struct request *request) {
  request_wipe(request);
  if (request->frame != NULL) pages_release(request->frame, request->frame_size);
  if (request->lists != NULL) pages_release(request->lists, request->lists_size);
  *request = (struct request){0};
}
