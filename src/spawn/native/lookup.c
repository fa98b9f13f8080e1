#include "lookup.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What came in the way: reported when nothing else is found. */
struct search {
  /* The first file that may not be executed, and the first whose interpreter or dynamic loader is missing;
   * empty: none. */
  char denied[PATH_MAX], broken[PATH_MAX];
};

static const char *search_path(const struct spec *spec) {
  for (char **variable = spec->envp; *variable != NULL; variable++)
    if (strncmp(*variable, "PATH=", 5) == 0) return *variable + 5;
  return "/usr/bin:/bin";
}

/* Those after which execvp(3) tries the next directory. */
static bool is_elsewhere(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES || error == ESTALE || error == ENODEV ||
         error == ETIMEDOUT || error == ENAMETOOLONG || error == ELOOP;
}

/* True: the next directory may have it. */
static bool try_in(
    const struct spec *spec, const char *folder, int length, struct search *search, int *error) {
  char path[PATH_MAX];
  /* An empty one is the working directory. */
  int size = snprintf(path, sizeof path, "%.*s%s%s", length, folder, length == 0 ? "./" : "/", spec->path);
  if (size < 0 || size >= PATH_MAX) return true;
  execve(path, spec->argv, spec->envp);
  *error = errno;
  if (*error == EACCES && search->denied[0] == '\0') memcpy(search->denied, path, sizeof path);
  if (*error == ENOENT && search->broken[0] == '\0' && access(path, F_OK) == 0)
    memcpy(search->broken, path, sizeof path);
  if (is_elsewhere(*error)) return true;
  memcpy(search->denied, path, sizeof path);
  return false;
}

static OWN_FRAME void execute_on_path(const struct spec *spec, struct failure *failure) {
  struct search search = {{0}, {0}};
  const char *folders = search_path(spec);
  int error = ENOENT;
  const char *next = spec->path[0] == '\0' ? NULL : folders;
  while (next != NULL) {
    if (!try_in(spec, next, (int)strcspn(next, ":"), &search, &error)) {
      fail(failure, STAGE_EXEC, error, "%s", search.denied);
      return;
    }
    next = strchr(next, ':');
    if (next != NULL) next++;
  }
  if (search.denied[0] != '\0') fail(failure, STAGE_EXEC, EACCES, "%s", search.denied);
  else if (search.broken[0] != '\0')
    fail(failure, STAGE_EXEC, ENOENT, "%s: its interpreter, or its dynamic loader", search.broken);
  else
    fail(failure, STAGE_EXEC, ENOENT, "%s: no such program on PATH, which is %s", spec->path,
        folders[0] == '\0' ? "empty" : folders);
}

void program_execute(const struct spec *spec, struct failure *failure) {
  if (strchr(spec->path, '/') == NULL) {
    execute_on_path(spec, failure);
    return;
  }
  execve(spec->path, spec->argv, spec->envp);
  fail(failure, STAGE_EXEC, errno, "%s", spec->path);
}
