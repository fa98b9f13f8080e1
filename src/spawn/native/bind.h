/* Binds in a root that is being put together: the last steps, for kernels with mount_setattr(2) and without.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { DESCRIPTOR_PATH = 32 };

/* Where the host's /proc is still in view. */
void descriptor_path(char path[DESCRIPTOR_PATH], int fd);
/* mount(2) over any descriptor: the host's /proc is still ours until the root changes. */
int mount_on(int target, const char *source, const char *type, unsigned long flags, const char *options);
/* The flags a remount must repeat: the kernel refuses to clear what a more privileged namespace has locked.
 */
unsigned long kept_flags(int fd);
/* Private: the source may be cloned from a namespace that shares its mounts with others. */
bool set_attributes(int tree, uint64_t attributes);
/* Changed while detached: nobody ever sees it writable. 0, or -1 with errno. */
int bind_new(int tree, int target, uint64_t attributes);
