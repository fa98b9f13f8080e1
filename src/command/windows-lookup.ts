import { statSync } from 'node:fs'
import { win32 } from 'node:path'
import { HoldfastError } from '../errors.ts'

export type WindowsSearch = {
  readonly path: string | undefined
  readonly pathext: string | undefined
  readonly cwd: string
  readonly isFile?: (path: string) => boolean
}

/**
 * Finds a program as Go's exec.LookPath does on Windows: a name with a separator or a drive is taken as it
 * is, relative to `cwd`; any other is looked for in the directories of PATH, and never in the current one
 * unless that says so. A name without one of PATHEXT's endings gets each of them in turn.
 * Throws START_FAILED, stage `exec`: ENOENT when there is none, EINVAL for a batch file.
 */
export function lookWindowsPath(
  name: string,
  { path, pathext = '.COM;.EXE;.BAT;.CMD', cwd, isFile = isPlainFile }: WindowsSearch,
): string {
  const endings = pathext.toLowerCase().split(';').filter(Boolean)
  const isPath = /[\\/:]/.test(name)
  const directories = isPath ? [''] : (path ?? '').split(';').map(unquoted).filter(Boolean)
  const hasEnding = endings.includes(win32.extname(name).toLowerCase())
  for (const directory of name === '' ? [] : directories)
    for (const ending of hasEnding ? [''] : isPath ? ['', ...endings] : endings) {
      const candidate = win32.resolve(cwd, directory, name + ending)
      if (isFile(candidate)) return refuseBatch(candidate)
    }
  throw new HoldfastError('START_FAILED', `cannot start ${JSON.stringify(name)}: there is no such program`, {
    stage: 'exec',
    errno: 'ENOENT',
    path: name,
    hint: isPath
      ? 'give the path of a file'
      : `PATH is ${path ?? 'empty'}; give the program's full path or set PATH in the command's env`,
  })
}

/**
 * cmd.exe, which would have to run it, takes its arguments apart by rules of its own (CVE-2024-27980): they
 * could not reach it unchanged.
 */
function refuseBatch(path: string): string {
  if (!/\.(?:bat|cmd)$/i.test(path)) return path
  throw new HoldfastError('START_FAILED', `cannot start ${path}: a batch file is no program`, {
    stage: 'exec',
    errno: 'EINVAL',
    path,
    hint: 'run what it runs (node.exe with a script, say), or cmd.exe with "/d", "/s", "/c" and a line that you have quoted for it',
  })
}

function unquoted(directory: string): string {
  return directory.replaceAll('"', '')
}

function isPlainFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
  } catch {
    return false
  }
}
