/* The file of a namespace, by a path of the caller's. */
#pragma once

/*
 * Opened for setns(2), and nothing else ever is: not what a task could have put in its place, be it a link, a
 * FIFO or a device. One of the links in /proc/PID/ns is followed, for it is what its directory says. -1 with
 * errno: EINVAL is for what is no namespace. walk_refused() names a link.
 */
int open_namespace(const char *path);
