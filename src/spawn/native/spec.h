/* One launch as asked for: the frame's strings in place, and what their numbers mean. */
#pragma once
#include <sys/resource.h>
#include "idmap.h"
#include "io.h"

enum {
  NAMESPACE_PID = 1,
  NAMESPACE_MOUNT = 2,
  NAMESPACE_IPC = 4,
  NAMESPACE_UTS = 8,
  NAMESPACE_CGROUP = 16,
  NAMESPACE_NETWORK = 32
};
enum { MAX_FRAME = 64 << 20, MAX_DESCRIPTOR = 0xfffff, MAX_SECRETS = 4 << 20 };

/* A file of the host: `path` beneath `base` without following any link, or, where base is NULL, absolute, or
 * `fd:N`, a descriptor of the donor's. */
struct file_target {
  const char *base, *path;
};

/* A process named so that a reused pid cannot be taken for it: `start` is field 22 of /proc/PID/stat. */
struct identity {
  pid_t pid;
  uint64_t start;
};

/* What runs inside a task that runs already. */
struct inside {
  /* The task's leader, whose namespaces are entered; pid 0: there are none to enter. */
  struct identity leader;
  /* PID 1 of its pid namespace; pid 0: there is none. */
  struct identity init;
  /* The FIFO that the task's shim holds; NULL: nothing runs inside of anything. */
  const char *alive;
};

struct rlimit_spec {
  struct rlimit_spec *next;
  const char *name;
  int resource;
  struct rlimit value;
};

struct cgroup_file {
  struct cgroup_file *next;
  const char *name, *value;
};

struct cgroup {
  struct cgroup *next;
  const char *dir;
  struct cgroup_file *files;
  /* Somebody else made it, for this task or for several: joined and written to, never made, emptied or
   * removed. */
  bool external;
};

enum mount_kind {
  MOUNT_DIR,
  MOUNT_SYMLINK,
  MOUNT_BIND,
  MOUNT_TMPFS,
  MOUNT_PROC,
  MOUNT_NODE,
  MOUNT_MASK,
  MOUNT_READONLY,
  MOUNT_PTS,
  MOUNT_FILE,
  MOUNT_SECRETS,
  MOUNT_FREEZE,
  MOUNT_MQUEUE,
  MOUNT_OVERLAY,
  MOUNT_ENTRIES
};

/* Of a workspace, and of an allocation that tasks share. */
enum { MAX_MAPS = 2 };

/* `fd`: the namespace that says so, -1 until it is made. */
struct file_map {
  struct file_map *next;
  struct id_map ids;
  int fd;
};

struct mount_op {
  struct mount_op *next;
  enum mount_kind kind;
  /* `source` is a symlink's text too. A bind's begins with `base`, where it has one, and no link beneath that
   * is followed. `text`: what a file has after a copy of its source. */
  const char *at, *source, *base, *text;
  /* Of an overlay: the directory for what the task changes, and that as a mount. */
  const char *state;
  int state_fd;
  uint64_t size;
  mode_t mode;
  unsigned major, minor;
  bool read_only, devices;
  /* Of a terminal in it; -1: whoever opens it. */
  int64_t gid;
  /* A bind's or a file's source, opened before anything could hide it. */
  int fd;
  /* Of a bind or an overlay, one of the spec's: its owner's files appear as the user's. NULL: as they are. */
  const struct file_map *map;
};

/* A file that only the task is to read: its bytes lie in the frame, until they are wiped there. */
struct secret {
  struct secret *next;
  const char *name, *bytes;
  size_t size;
};

/* Who dies when the kernel has killed one for memory; OOM_LEFT: the kernel's affair alone. */
enum oom { OOM_LEFT, OOM_TASK, OOM_PROCESS };

enum landlock_access { LANDLOCK_LIST, LANDLOCK_READ, LANDLOCK_DEVICE, LANDLOCK_WRITE };
enum { LANDLOCK_SIGNALS = 1, LANDLOCK_ABSTRACT_SOCKETS = 2 };

/* A file or directory, with all beneath it, as the task sees it. */
struct landlock_rule {
  struct landlock_rule *next;
  const char *at;
  enum landlock_access access;
};

/* A destination that the task may reach, as egress_rules.h has it. */
struct egress_text {
  struct egress_text *next;
  const char *text;
};

struct spec {
  int id;
  const char *dir, *path, *cwd;
  struct file_target in, out, err;
  /* Whose descriptors are meant by number; pid 0: the supervisor's. */
  struct identity donor;
  char **argv, **envp;
  mode_t umask;
  bool has_credentials, has_nice, has_oom_score_adj, has_cpu_policy, has_capabilities;
  bool durable, no_new_privileges, seccomp, offline;
  /* Standard input is what anybody writes who may, to the FIFO `input` in `dir`, in place of `in`. */
  bool stdin_open;
  uid_t uid;
  gid_t gid;
  gid_t *groups;
  size_t group_count;
  int nice, oom_score_adj;
  /* SCHED_OTHER, SCHED_BATCH or SCHED_IDLE. */
  int cpu_policy;
  /* Of the pseudo-terminal that the task's streams are; rows 0: there is none. */
  int terminal_rows, terminal_columns;
  struct rlimit_spec *rlimits;
  int64_t timeout_ms, grace_ms;
  /* Before exec the shim says that it has read back what is in force, and waits that long for `go`; 0: it
   * does not. */
  int64_t hold_ms;
  /* Bytes and number of files of a log that the shim writes and rotates; 0: the task writes it itself. */
  int64_t max_log;
  int log_files;
  /* They are NAME.0, NAME.1 and so on, and the highest is written; else NAME, which is renamed. */
  bool log_increment;
  /* What goes to a FIFO goes through the shim, and the task does not wait where nobody reads. */
  bool log_collected;
  /* Of standard output and standard error: the task writes it itself all the same. */
  bool log_plain[2];
  /* What the streams that are carried may give together; 0: no limit. */
  int64_t max_output;
  struct cgroup *cgroups;
  /* Made by others while the task runs, if at all: removed with it; an exec session joins those that are
   * there. */
  struct cgroup *deferred_cgroups;
  enum oom oom;
  const char *oom_file, *freezer, *network_path, *hostname, *lifeline;
  unsigned namespaces;
  struct inside inside;
  struct secret *secrets;
  struct mount_op *root;
  /* All different, MAX_MAPS at most. */
  struct file_map *maps;
  /* Where the mounts begin that are the task's own; NULL when all are. What comes before is spelt by the
   * bytes of `shared_text`. */
  struct mount_op **root_own;
  const char *shared_text;
  size_t shared_size;
  /* Not of the request: a mount namespace whose root has the shared ones already, or -1. */
  int prepared_root;
  uint64_t capabilities;
  /* What alone the task may open; NULL: Landlock restricts no files. */
  struct landlock_rule *landlock;
  /* Where the task's loopback has the forwarder's door; 0: it has none. */
  int egress_port;
  struct egress_text *egress;
  /* Of signals and abstract sockets: kept within the task. */
  unsigned scopes;
};

/* A frame's bytes and the parsed lists; both pages of their own, given back as soon as nobody needs them. */
struct request {
  char *frame;
  size_t frame_size;
  void *lists;
  size_t lists_size;
  /* Where its secrets begin, which go to its end; NULL: it has none. */
  char *secrets;
};

/* Its number, or -1 for a file by its path. */
int external_descriptor(const struct file_target *target);

/* Fills in spec from request->frame; the lists are allocated. Returns NULL, or why not (then spec->id is the
 * id as far as it was read, else 0). */
const char *spec_parse(struct request *request, struct spec *spec);
/* Of this process: nobody has its secrets any more who has not taken them. Nothing else of it changes. */
void request_wipe(const struct request *request);
void request_release(struct request *request);
