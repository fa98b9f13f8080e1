import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { posix } from 'node:path'
import type { PlainCommand } from '../api.ts'
import { HoldfastError } from '../errors.ts'
import { workingDirectory } from '../working-directory.ts'
import { defaultPath } from './environment.ts'
import { wantsHostRoot } from './host-root.ts'

type Shown = Pick<PlainCommand, 'path' | 'args' | 'env' | 'cwd' | 'mounts' | 'root' | 'namespaces'>

/** Something that is on the host, and not in the task's root. */
export type OnlyOnHost = {
  readonly path: string
  /** The flags of `holdfast run` that show it where the task looks for it. */
  readonly flags: string
}

/** What every isolated task has, of the host or of its own. */
const inEveryRoot = [
  '/bin',
  '/sbin',
  '/etc',
  '/lib',
  '/lib32',
  '/lib64',
  '/usr',
  '/dev',
  '/proc',
  '/sys',
  '/alloc',
  '/local',
]

/** Whether a path is there on the host, and the command's own root shows nothing there. False for a task that has the host's root. */
function isOnlyOnHost(path: string, command: Shown): boolean {
  if (wantsHostRoot(command)) return false
  // What is embedded is found by its place in the task, which is not looked for here.
  if (!posix.isAbsolute(path) || typeof command.root === 'object') return false
  const mounted = (command.mounts ?? []).map(({ target }) => target)
  const isShown = [...inEveryRoot, ...mounted].some(at => isBelow(path, at))
  return path !== '/' && !isShown && existsSync(path)
}

/**
 * The error of a start, with a hint that names what is on the host alone: the working directory; the program, wherever the task's PATH or this program's
 * has it; the interpreter in its `#!` line. Any other error as it is. `cwd` is this program's own.
 */
export function namingHostPaths(error: unknown, command: Shown, cwd = workingDirectory() ?? '/'): unknown {
  if (!(error instanceof HoldfastError) || error.errno !== 'ENOENT') return error
  const { code, message, errno, cause, stage } = error
  if (stage !== 'exec' && stage !== 'chdir') return error
  const places = stage === 'chdir' ? [shownAsIs(command.cwd ?? '/')] : programs(command, cwd)
  const found = places.find(({ path }) => isOnlyOnHost(path, command))
  if (found === undefined) return error
  const hint = `${found.path} is on the host, and not in the task's root: command.mounts (${found.flags}) shows it.`
  return new HoldfastError(code, message, { stage, errno, path: error.path, cause, hint })
}

/**
 * What arguments and variables of the environment name, and is on the host alone. A relative path is looked for in the task's working directory, or in
 * `cwd`, this program's own, where it has been given none.
 */
export function namedOnlyOnHost(command: Shown, cwd = workingDirectory() ?? '/'): OnlyOnHost[] {
  const words = command.args.map(arg => /^--?[\w-]+=(.+)$/s.exec(arg)?.[1] ?? arg)
  const lists = Object.values(command.env).flatMap(value => value.split(':'))
  const named = [...words, ...lists.filter(part => posix.isAbsolute(part))].filter(
    word => /[./]/.test(word) && !/^[./]*$/.test(word) && !word.includes('\0'),
  )
  const found = named
    .map(word => placeOf(word, command, cwd))
    .filter(({ path }) => isOnlyOnHost(path, command))
  return [...new Map(found.map(one => [one.path, one])).values()]
}

function shownAsIs(path: string): OnlyOnHost {
  return { path, flags: `--mount ${path}` }
}

/** A relative path is found by the task only from the same working directory. */
function placeOf(word: string, command: Shown, cwd: string): OnlyOnHost {
  const path = posix.resolve(command.cwd ?? cwd, word)
  // Without one of its own the task's working directory is the root.
  if (posix.isAbsolute(word) || command.cwd !== undefined || cwd === '/') return shownAsIs(path)
  const folder = posix.dirname(path)
  const mounts = path.startsWith(`${cwd}/`) ? [cwd] : isBelow(cwd, folder) ? [folder] : [folder, cwd]
  return { path, flags: [...mounts.map(mount => `--mount ${mount}`), `--cwd ${cwd}`].join(' ') }
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder.replace(/\/$/, '')}/`)
}

function programs(command: Shown, cwd: string): OnlyOnHost[] {
  const { path, env } = command
  if (path.includes('/')) {
    const program = placeOf(path, command, cwd)
    return [program, ...interpreterOf(program.path)]
  }
  const folders = (list: string | undefined): string[] => list?.split(':') ?? []
  const own = folders(env.PATH ?? defaultPath)
  const inOwn = own.map(folder => posix.join(folder, path))
  const first = inOwn.find(existsSync)
  return [
    ...inOwn.map(program => ({ path: program, flags: `--mount ${posix.dirname(program)}` })),
    ...(first === undefined ? [] : interpreterOf(first)),
    // Shown there it is still not on the task's own PATH.
    ...folders(process.env.PATH).map(folder => {
      const program = posix.join(folder, path)
      return { path: program, flags: `--mount ${folder}, and the program by its path, ${program}` }
    }),
  ]
}

function interpreterOf(script: string): OnlyOnHost[] {
  const head = Buffer.alloc(256)
  let fd: number
  try {
    fd = openSync(script, 'r')
  } catch {
    return []
  }
  try {
    const text = head.toString('utf8', 0, readSync(fd, head))
    const [, interpreter] = /^#![ \t]*([^ \t\r\n]+)/.exec(text) ?? []
    return interpreter === undefined ? [] : [shownAsIs(interpreter)]
  } catch {
    return []
  } finally {
    closeSync(fd)
  }
}
