/*
 * What is in an entry of an overlay and what is on the host in its place, told after the entry. Both are read
 * as far as a limit goes, and nothing but plain files and the text of links is: a file is known for one
 * before it is opened, and whoever lets it grow meanwhile makes it too large. A path that somebody asks for
 * is never opened: it is compared with those that the walk has come to.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct contents {
  /* Bytes of one file; 0: contents are not asked for. */
  size_t max_bytes;
  /* max_bytes + 1, for one file after the other. */
  char *buffer;
  /* Ends with NULL: these entries alone, and what lies in them; none: all. */
  char **only;
};

/* f, d, l, or o for anything else. */
char entry_type(mode_t mode);

/* What is asked for lies at `path`, in it, or above it: `path` has no slash at its end. */
bool contents_lead_to(const struct contents *contents, const char *path);
/* `path` is asked for, or lies in what is. */
bool contents_are_asked(const struct contents *contents, const char *path);

/* One side of an entry: `TYPE MODE SIZE STATE COUNT`, NUL and COUNT bytes. Type `-`: there is nothing. State
 * `=`: all of it, `>`: it is larger than the limit, `!`: it cannot be read. False: nobody takes it. */
bool contents_print_none(void);
/* The text of a link, or nothing for what has no contents. */
bool contents_print_text(const struct stat *status, const char *text, size_t length);
bool contents_print_file(const struct contents *contents, int file, const struct stat *status);
/* Whatever has that name by now. */
bool contents_print_entry(const struct contents *contents, int directory, const char *name);
