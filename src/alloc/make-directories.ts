import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory and its parents. Not mkdirSync's `recursive`: where a file system answers ENOENT for a
 * name that it does not let anybody make (/proc), Node 20 tries again for ever.
 */
export function makeDirectories(path: string, mode: number): void {
  if (isDirectory(path)) return
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Somebody else was quicker.
    if (code === 'EEXIST' && isDirectory(path)) return
    if (code !== 'ENOENT' || isDirectory(dirname(path))) throw error
    makeDirectories(dirname(path), mode)
    mkdirSync(path, { mode })
  }
}

export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
