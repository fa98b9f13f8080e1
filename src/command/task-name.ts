import { isWindowsName } from './windows-names.ts'

// A name becomes one directory entry, and log files are called after it with a suffix: well below NAME_MAX
// (255 bytes).
const longestName = 128

export const takesTaskName = `a name of 1 to ${longestName} bytes without "/" or control characters, other than ".", ".." and "alloc"`

/** Whether it can be the name of a task, and so of its directory in an allocation. */
export function isTaskName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || name === 'alloc') return false
  if (process.platform === 'win32' && (!isWindowsName(name) || name.toLowerCase() === 'alloc')) return false
  // A lone surrogate has no bytes of its own: it would be stored as U+FFFD, so that two names become one
  // directory.
  return Buffer.byteLength(name) <= longestName && !/[/\p{Cc}\p{Cs}]/u.test(name)
}
