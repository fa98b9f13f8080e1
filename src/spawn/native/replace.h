/* Files, links and directories put into the place of others, by the descriptor of their directory; no link is
 * followed. False, or -1: errno. */
#pragma once
#include <stdbool.h>
#include <sys/stat.h>
#include "overlay.h"

/* Of a file's mode, what is taken over. */
enum { REPLACED_MODE = 0777 };

struct owner {
  /* Nobody but us may be. */
  bool ours;
  uid_t uid;
  gid_t gid;
};

/* Whose a file is outside that is `status`'s in the task. */
struct owner owner_of(const struct stat *status, const struct overlay_base *base);

/* A directory in a directory, on the same file system. */
int open_inner(int directory, const char *name);
/* A plain file to be read; ENOENT for anything else. */
int open_file(int directory, const char *name, struct stat *status);
/* 1: a plain file in `directory` has the same contents, 0: other ones, -1: errno. */
int same_contents(int file, const struct stat *status, int directory, const char *name);

/* In one step, by way of the name `temporary`: whoever looks sees the old one or the new one, whole. Its time
 * is the original's. */
bool replace_file(int file, const struct stat *status, const struct owner *owner, int directory,
    const char *temporary, const char *name);
bool replace_link(
    const char *text, const struct owner *owner, int directory, const char *temporary, const char *name);
/* A new directory that only its owner may enter, open. */
int replace_by_directory(const struct owner *owner, int directory, const char *temporary, const char *name);
bool finish_mode(int directory, const struct stat *status);
/* With all that lies in it, but through no mount (EXDEV). */
bool remove_tree(int directory, const char *name);
