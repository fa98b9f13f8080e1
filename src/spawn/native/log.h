/* Runs in the shim: opens the task's standard descriptors on the host. */
#pragma once
#include "failure.h"
#include "spec.h"

/* `donor`: the process whose descriptors `fd:N` means. */
int open_stdin(const struct file_target *target, const struct spec *spec, bool own_root,
    const struct identity *donor, struct failure *failure);
/* A FIFO that was opened by its name. */
bool is_named_fifo(const struct file_target *target, int fd);
bool is_null(const struct file_target *target);
/*
 * The same file, opened anew through a read-only mount of its own; as it was where that cannot be (a pipe, no
 * privilege, before Linux 5.12). A device can be written to all the same; its mode and times cannot be
 * changed.
 */
int open_read_only_view(int fd, int flags);
/* The same file through a mount of its own with these attributes, or -1. */
int open_through_mount(int fd, int flags, uint64_t attributes);
/* openat without following a link in any component, nor leaving `base`. */
int open_beneath(int base, const char *path, int flags);
/*
 * `pumped`: the shim alone writes it, and what lies in its place and is not the shim's own makes room for it.
 * `held` gets the descriptor that a FIFO needs for as long as the task runs.
 */
int open_log(const struct file_target *target, const struct spec *spec, bool pumped,
    const struct identity *donor, int *held, struct failure *failure);
/* Of a log that is numbered upwards: the file to go on with, and its number. */
int open_numbered_log(
    const struct file_target *target, const struct spec *spec, int *number, struct failure *failure);
/* Of a file that the task writes itself, by the external descriptor: all that went through that is still
 * there. */
bool log_is_whole(int fd);
/* O_PATH: for renames of the log in it. */
int open_log_directory(const struct file_target *target);
