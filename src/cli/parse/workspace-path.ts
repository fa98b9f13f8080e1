import { posix } from 'node:path'
import { invalidArgument } from '../../invalid-argument.ts'

/**
 * A path from the workspace on, as it may be typed: `./src/`, `a//b`; empty for the workspace itself. Throws
 * INVALID_ARGUMENT for one that leads elsewhere.
 */
export function parseWorkspacePath(word: string): string {
  const path = posix.normalize(word).replace(/\/$/, '')
  if (word === '' || posix.isAbsolute(path) || path === '..' || path.startsWith('../'))
    throw invalidArgument('PATH', word, 'a path from the workspace on, such as src or src/main.c')
  return path === '.' ? '' : path
}
