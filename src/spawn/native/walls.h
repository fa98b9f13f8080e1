/* What the kernel tells a process of its own namespaces and its own root directory. To itself alone does it
 * always tell: a process that is not dumpable may be looked at by whoever has CAP_SYS_PTRACE where its
 * program was executed, which is outside of a user namespace that we have made (ptrace(2)). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { WALLS = 7 };
extern const char wall_names[WALLS][7];

/* Plain bytes: it goes through a pipe. */
struct walls {
  /* Where the links lead, as "mnt:[4026531841]"; "": it could not be read. */
  char links[WALLS][32];
  /* This kernel has no such namespaces. */
  bool missing[WALLS];
  bool has_root;
  uint64_t device, inode;
};

/* Our own directory in /proc, for when that is out of sight. -1: there is none. */
int walls_open(void);
/* What the next child will have, whose pid namespace may be another than ours (`of_child`). */
void walls_read(struct walls *walls, int self, bool of_child);
