/*
 * What a task has changed in an overlay: told, and put in place. The task owns what lies in the overlay and
 * may still be changing it; the directory beneath belongs to somebody whom we, as root, need not trust
 * either. So every name is looked up from the descriptor of its directory, no link is followed on either
 * side, and nothing but files, directories and the text of links is taken over: no device, FIFO or socket, no
 * set-user-ID, set-group-ID or sticky bit, no extended attribute.
 */
#pragma once

/* docs/native-protocol.md: `holdfast-native overlay`. */
int changes_run(char **arguments);
