import { existsSync } from 'node:fs'

/**
 * Node has no openat(2). On Linux a name looked up below /proc/self/fd/N starts at the directory that
 * descriptor holds, whatever its path has become meanwhile: the same guarantee. Elsewhere, and on a Linux
 * without /proc, paths are used, and a directory may be swapped between check and use.
 */
export const anchored = process.platform === 'linux' && existsSync('/proc/self/fd')
