#include "landlock.h"
#include <errno.h>
#include <stdint.h>
#include "io.h"
#include "system.h"

/* linux/landlock.h is younger than the headers that we may be built with. */
enum { NR_landlock_create_ruleset = 444, NR_landlock_add_rule = 445, NR_landlock_restrict_self = 446 };
enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1 };
enum { ACCESS_FS_REFER = 1 << 13, SCOPE_SIGNAL = 1 << 1 };
/* Version 1 forbids to link and rename from one directory to another, in any domain. */
enum { VERSION_LEAST = 2, VERSION_OF_SCOPES = 6 };

struct ruleset { uint64_t handled_fs, handled_net, scoped; };
struct path_beneath { uint64_t allowed; int32_t parent; } __attribute__((packed));

int landlock_version(void) {
  long version = syscall(NR_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
  return version >= VERSION_LEAST ? (int)version : 0;
}

/* A ruleset must handle something. This right is always taken away by a domain that restricts files at all; it is given back for everything. */
static bool allow_everywhere(int ruleset) {
  _cleanup_fd_ int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  const struct path_beneath rule = {.allowed = ACCESS_FS_REFER, .parent = top};
  return top >= 0 && syscall(NR_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
}

bool landlock_own_domain(bool signals) {
  int version = landlock_version();
  if (version == 0) return false;
  bool scoped = signals && version >= VERSION_OF_SCOPES;
  const struct ruleset wanted = {.handled_fs = scoped ? 0 : ACCESS_FS_REFER, .scoped = scoped ? SCOPE_SIGNAL : 0};
  /* Up to the last member that this kernel knows. */
  size_t size = version >= VERSION_OF_SCOPES ? sizeof wanted : sizeof wanted.handled_fs;
  _cleanup_fd_ int ruleset = (int)syscall(NR_landlock_create_ruleset, &wanted, size, 0);
  if (ruleset < 0 || (!scoped && !allow_everywhere(ruleset))) return false;
  return syscall(NR_landlock_restrict_self, ruleset, 0) == 0;
}
