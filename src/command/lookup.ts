import { type Stats, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { HoldfastError } from '../errors.ts'
import { workingDirectory } from '../working-directory.ts'

/**
 * Finds a program as Go's exec.LookPath does: a name with a slash is taken as it is, any other is the first
 * executable regular file of that name in the directories of `pathVariable` (an empty one means `cwd`,
 * default the process's own; where that is deleted, a relative one is none).
 * Throws START_FAILED, stage `exec`: ENOENT if there is no such file, EACCES if there are only ones that
 * cannot be run.
 */
export function lookPath(name: string, pathVariable: string | undefined, cwd = workingDirectory()): string {
  if (name.includes('/')) return name
  let inTheWay: string | null = null
  for (const directory of name === '' ? [] : (pathVariable ?? '').split(':')) {
    if (cwd === null && !isAbsolute(directory)) continue
    const candidate = join(resolve(cwd ?? '/', directory), name)
    const found = statOf(candidate)
    if (found === 'absent') continue
    if (found !== 'forbidden' && found.isFile() && (found.mode & 0o111) !== 0) return candidate
    inTheWay ??= candidate
  }
  throw inTheWay === null ? notFound(name, pathVariable) : notExecutable(name, inTheWay)
}

function statOf(path: string): Stats | 'absent' | 'forbidden' {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? 'absent'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'forbidden' : 'absent'
  }
}

function notFound(name: string, pathVariable: string | undefined): HoldfastError {
  return new HoldfastError('START_FAILED', `cannot start ${JSON.stringify(name)}: no such program on PATH`, {
    stage: 'exec',
    errno: 'ENOENT',
    path: name,
    hint: pathVariable
      ? `PATH is ${pathVariable}; give the program's full path or set PATH in the command's env`
      : "the command's PATH is empty; give the program's full path or set PATH in its env",
  })
}

function notExecutable(name: string, path: string): HoldfastError {
  return new HoldfastError(
    'START_FAILED',
    `cannot start ${JSON.stringify(name)}: ${path} is not an executable file`,
    {
      stage: 'exec',
      errno: 'EACCES',
      path,
      hint: `is it a file, with execute permission? ls -ld '${path}'`,
    },
  )
}
