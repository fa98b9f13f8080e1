/* Mounts in which what belongs to one user appears as another's: mount_setattr(2), "ID-mapped mounts". */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

/* Whose files appear as whose. The other way round too, so that nobody's number means two; everybody else's
 * are as they are. */
struct id_map {
  uid_t owner_uid, user_uid;
  gid_t owner_gid, user_gid;
};

/* A user namespace that says so, which no process is in; -1: errno. It is for the host's root, where /proc
 * shows our own pid namespace. */
int idmap_open(const struct id_map *map);
/* To a mount that nobody sees yet. *all: to what is mounted beneath it as well, which some file systems do
 * not take. */
bool idmap_apply(int tree, int namespace, bool *all);
/* Says on standard output whether a directory can be shown so, without doing anything to it. */
int idmap_run(const char *path);
