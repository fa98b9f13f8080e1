export const sharedName = 'alloc'
export const sharedParts = ['logs', 'tmp', 'data'] as const

/*
 * The task runs as `nobody` or anybody: where it may write, everybody may, and the sticky bit keeps it from renaming or removing what
 * others (the supervisor first of all: the log directory) have put there. The allocation itself can be passed through, not listed.
 */
export const modes = { root: 0o711, open: 0o1777, task: 0o755 } as const
