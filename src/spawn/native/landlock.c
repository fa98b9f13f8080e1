#include "landlock.h"
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include "io.h"
#include "system.h"

/* linux/landlock.h is younger than the headers that we may be built with. */
enum { NR_landlock_create_ruleset = 444, NR_landlock_add_rule = 445, NR_landlock_restrict_self = 446 };
enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1 };
enum {
  FS_EXECUTE = 1 << 0,
  FS_WRITE_FILE = 1 << 1,
  FS_READ_FILE = 1 << 2,
  FS_READ_DIR = 1 << 3,
  FS_REFER = 1 << 13,
  FS_TRUNCATE = 1 << 14,
  FS_IOCTL_DEV = 1 << 15
};
enum { FS_OF_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV };
enum { NET_BIND_TCP = 1 << 0, NET_CONNECT_TCP = 1 << 1 };
enum { SCOPE_ABSTRACT = 1 << 0, SCOPE_SIGNAL = 1 << 1 };
/* Version 1 forbids to link and rename from one directory to another, in any domain. */
enum { MIN_VERSION = 2, VERSION_OF_TRUNCATE = 3, VERSION_OF_IOCTL = 5, VERSION_OF_SCOPES = 6 };

struct ruleset {
  uint64_t handled_fs, handled_net, scoped;
};
struct path_beneath {
  uint64_t allowed;
  int32_t parent;
} __attribute__((packed));

int landlock_version(void) {
  long version = syscall(NR_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
  return version >= MIN_VERSION ? (int)version : 0;
}

/* All that this version can restrict: rights 0 to 13, then those that came later. */
static uint64_t all_rights(int version) {
  uint64_t rights = (FS_REFER << 1) - 1;
  if (version >= VERSION_OF_TRUNCATE) rights |= FS_TRUNCATE;
  if (version >= VERSION_OF_IOCTL) rights |= FS_IOCTL_DEV;
  return rights;
}

static uint64_t rights_of(enum landlock_access access) {
  switch (access) {
    case LANDLOCK_LIST: return FS_READ_DIR;
    case LANDLOCK_READ: return FS_EXECUTE | FS_READ_FILE | FS_READ_DIR;
    case LANDLOCK_DEVICE: return FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV;
    case LANDLOCK_WRITE: return UINT64_MAX;
  }
  return 0;
}

static bool allow(int ruleset, int file, uint64_t rights, uint64_t handled) {
  struct stat status;
  if (fstat(file, &status) != 0) return false;
  const struct path_beneath rule = {
      .allowed = rights & handled & (S_ISDIR(status.st_mode) ? UINT64_MAX : (uint64_t)FS_OF_FILES),
      .parent = file};
  return rule.allowed == 0 || syscall(NR_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
}

/* A link in the way would be somebody's doing: the plan's places have none. What is not there needs no rule.
 */
static bool allow_path(int ruleset, const struct landlock_rule *rule, uint64_t handled) {
  const struct how how = {.flags = O_PATH | O_CLOEXEC, .resolve = HOW_NO_SYMLINKS | HOW_NO_MAGICLINKS};
  _cleanup_fd_ int file = sys_openat2(AT_FDCWD, rule->at, &how);
  if (file < 0) return errno == ENOENT;
  return allow(ruleset, file, rights_of(rule->access), handled);
}

/* /dev/stdout is to open what standard output is. EBADFD: no file that Landlock knows (a pipe, a socket), and
 * so none that it restricts. */
static bool allow_streams(int ruleset, uint64_t handled) {
  for (int stream = 0; stream < 3; stream++) {
    int flags = fcntl(stream, F_GETFL);
    if (flags < 0) return false;
    uint64_t rights = FS_IOCTL_DEV | ((flags & O_ACCMODE) != O_WRONLY ? FS_READ_FILE : 0) |
                      ((flags & O_ACCMODE) != O_RDONLY ? FS_WRITE_FILE | FS_TRUNCATE : 0);
    if (!allow(ruleset, stream, rights, handled) && errno != EBADFD) return false;
  }
  return true;
}

static int create(const struct ruleset *wanted, int version) {
  /* Up to the last member that this kernel knows. */
  size_t size = version >= VERSION_OF_SCOPES ? sizeof *wanted
                : version >= LANDLOCK_OF_TCP ? offsetof(struct ruleset, scoped)
                                             : offsetof(struct ruleset, handled_net);
  return (int)syscall(NR_landlock_create_ruleset, wanted, size, 0);
}

/* A ruleset must handle something. The right to refer is always taken away by a domain that restricts files
 * at all; it is given back for everything. */
static int build_bare(const struct ruleset *wanted, int version) {
  if (wanted->scoped != 0 || wanted->handled_net != 0) return create(wanted, version);
  _cleanup_fd_ int ruleset = create(&(struct ruleset){.handled_fs = FS_REFER}, version);
  const struct landlock_rule everywhere = {.at = "/", .access = LANDLOCK_WRITE};
  if (ruleset < 0 || !allow_path(ruleset, &everywhere, FS_REFER)) return -1;
  int kept = ruleset;
  ruleset = -1;
  return kept;
}

int landlock_build(const struct spec *spec, int version, struct failure *failure) {
  struct ruleset wanted = {0};
  if (version >= LANDLOCK_OF_TCP && spec->offline) wanted.handled_net = NET_BIND_TCP | NET_CONNECT_TCP;
  if (version >= VERSION_OF_SCOPES)
    wanted.scoped = (spec->scopes & LANDLOCK_SIGNALS ? SCOPE_SIGNAL : 0) |
                    (spec->scopes & LANDLOCK_ABSTRACT_SOCKETS ? SCOPE_ABSTRACT : 0);
  if (spec->landlock == NULL) return version == 0 ? -1 : build_bare(&wanted, version);
  const uint64_t handled = wanted.handled_fs = all_rights(version);
  _cleanup_fd_ int ruleset = version == 0 ? (errno = ENOSYS, -1) : create(&wanted, version);
  if (ruleset < 0) return fail(failure, STAGE_LANDLOCK, errno, "ruleset");
  for (const struct landlock_rule *rule = spec->landlock; rule != NULL; rule = rule->next)
    if (!allow_path(ruleset, rule, handled)) return fail(failure, STAGE_LANDLOCK, errno, "%s", rule->at);
  if (!allow_streams(ruleset, handled)) return fail(failure, STAGE_LANDLOCK, errno, "standard streams");
  int kept = ruleset;
  ruleset = -1;
  return kept;
}

bool landlock_enter(int ruleset) { return syscall(NR_landlock_restrict_self, ruleset, 0) == 0; }
