/*
 * A copy-on-write view of a directory, overlayfs(5): what a task changes there goes to a directory of its
 * own, `upper`, and whoever asks later is told what it was (changes.h).
 */
#pragma once
#include <stdbool.h>
#include <sys/stat.h>
#include "spec.h"

/* What lies in an overlay's directory, besides what the kernel keeps in `work`. */
#define OVERLAY_UPPER "upper"
/* What was there before, for as long as the mount is made. */
#define OVERLAY_LOWER "lower"
#define OVERLAY_WORK "work"
/* A line of numbers, struct overlay_base. It was last written just before the task could see the directory.
 */
#define OVERLAY_BASE "base"
/* Which entry an apply has on its way; there while one is at work, or after one that was killed. */
#define OVERLAY_UNFINISHED "unfinished"

/* What is remembered of the directory that an overlay was made over. */
struct overlay_base {
  ino_t inode;
  uid_t uid;
  gid_t gid;
  bool mapped;
  /* In the task its owner's files were this user's. */
  struct id_map map;
  /* The overlay's marks are extended attributes that any owner may set, not root alone. */
  bool of_user;
  struct timespec since;
};

/* Makes the overlay's own directory with what lies in it, where it is missing, as a mount that nobody sees.
 * -1: errno. */
int overlay_open(const char *path);
/* `top`: that mount, in its place. The overlay as a mount that nobody sees; -1: errno, and *step says what
 * was refused. */
int overlay_make(const struct mount_op *op, int top, const char **step);
/* `directory`: the overlay's own. False: errno, EINVAL for one that cannot be believed. */
bool overlay_read_base(int directory, struct overlay_base *base);
