export const sharedName = 'alloc'
export const sharedParts = ['logs', 'tmp', 'data'] as const

/*
 * The task runs as `nobody` or anybody: where it may write, everybody may, and the sticky bit keeps it from
 * renaming or removing what others (the supervisor first of all: the log directory) have put there. Nobody
 * else gets that far: the allocation itself is the supervisor's alone, for modes and owners in it are the
 * tasks' to choose, and tasks get what they need of it mounted. See admit.ts for those that do not.
 */
export const modes = { root: 0o700, open: 0o1777, task: 0o755, logs: 0o755 } as const

/**
 * Logs are written by shims: a task that has the directory by its path on the host may read there, and put
 * nothing in their place.
 */
export const modeOfPart = (part: string): number => (part === 'logs' ? modes.logs : modes.open)
