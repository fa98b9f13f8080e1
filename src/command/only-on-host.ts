import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { posix } from 'node:path'
import type { PlainCommand } from '../api.ts'
import { HoldfastError } from '../errors.ts'
import { mayExecute } from '../spawn/may-execute.ts'
import { workingDirectory } from '../working-directory.ts'
import { defaultPath } from '../default-path.ts'
import { wantsHostRoot } from './host-root.ts'
import { placesOnTheWay } from './links.ts'
import { toolchains } from './toolchains.ts'
import { workspaceOf } from './workspace.ts'

type Shown = Pick<
  PlainCommand,
  'path' | 'args' | 'env' | 'cwd' | 'mounts' | 'workspace' | 'root' | 'namespaces'
>

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

/**
 * Whether a path is there on the host, and the command's own root shows nothing there. False for a task that
 * has the host's root.
 */
function isOnlyOnHost(path: string, command: Shown): boolean {
  if (wantsHostRoot(command)) return false
  // What is embedded is found by its place in the task, which is not looked for here.
  if (!posix.isAbsolute(path) || typeof command.root === 'object') return false
  const isShown = [...inEveryRoot, ...shownBy(command)].some(at => isBelow(path, at))
  return path !== '/' && !isShown && existsSync(path)
}

/**
 * The error of a start, with a hint that names what is on the host alone: the working directory; the program,
 * wherever the task's PATH or this program's has it; the interpreter in its `#!` line. Any other error as it
 * is. `cwd` is this program's own.
 */
export function namingHostPaths(error: unknown, command: Shown, cwd = workingDirectory() ?? '/'): unknown {
  if (!(error instanceof HoldfastError)) return error
  const hint = hintFor(error, command, cwd)
  if (hint === null) return error
  const { code, message, errno, cause, stage, path } = error
  return new HoldfastError(code, message, { stage, errno, path, cause, hint })
}

/**
 * What arguments and variables of the environment name, and is on the host alone. A relative path is looked
 * for in the task's working directory, or in `cwd`, this program's own, where it has been given none.
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

function hintFor({ stage, errno }: HoldfastError, command: Shown, cwd: string): string | null {
  if (stage === 'chdir' && errno === 'EACCES') return notEntered(command)
  if (errno !== 'ENOENT' || (stage !== 'exec' && stage !== 'chdir')) return null
  const places =
    stage === 'chdir'
      ? [directoryToWorkIn(command)]
      : programs(command, cwd).flatMap(program => [program, ...leadsTo(program.path, command)])
  const found = places.find(({ path }) => isOnlyOnHost(path, command))
  if (found === undefined) return null
  const field = found.flags.startsWith('-w ') ? 'command.workspace' : 'command.mounts'
  return `${found.path} is on the host, and not in the task's root: ${field} (${found.flags}) shows it.`
}

/**
 * A workspace is the task's own; what is only mounted stays whose it is, and could be one where it has its
 * own path.
 */
function notEntered(command: Shown): string | null {
  const workspace = workspaceOf(command)
  const at = command.cwd ?? workspace?.path ?? '/'
  if (wantsHostRoot(command))
    return `The task's user may not enter ${at}: command.user (--user) names another.`
  if (workspace !== null && isBelow(at, workspace.path))
    return `The task's user may not enter ${at}: command.user (--user) names the owner of it, and chown gives it to another.`
  const mounted = (command.mounts ?? []).some(
    ({ source, target }) => source === target && isBelow(at, target),
  )
  if (!mounted) return null
  return `The task's user may not enter ${at}: as command.workspace (-w ${at}) it is the task's.`
}

function directoryToWorkIn({ cwd = '/' }: Shown): OnlyOnHost {
  return { path: cwd, flags: `-w ${cwd}` }
}

/** By its own paths, or others. */
function shownBy(command: Shown): string[] {
  const workspace = workspaceOf(command)
  return [...(command.mounts ?? []).map(({ target }) => target), ...(workspace ? [workspace.path] : [])]
}

function shownAsIs(path: string): OnlyOnHost {
  return { path, flags: `--mount ${path}` }
}

/** A relative path is found by the task only from the same working directory. */
function placeOf(word: string, command: Shown, cwd: string): OnlyOnHost {
  const own = command.cwd ?? workspaceOf(command)?.path
  const path = posix.resolve(own ?? cwd, word)
  // Without one of its own the task's working directory is the root.
  if (posix.isAbsolute(word) || own !== undefined || cwd === '/') return shownAsIs(path)
  const folder = posix.dirname(path)
  if (path.startsWith(`${cwd}/`)) return { path, flags: `-w ${cwd}` }
  return { path, flags: isBelow(cwd, folder) ? `-w ${folder} --cwd ${cwd}` : `-w ${cwd} --mount ${folder}` }
}

/**
 * Directories of this program's PATH that toolchains() shows, and the task is not shown: a shell of the
 * task's looks for programs in vain that lie there.
 */
export function pathOnlyOnHost(command: Shown): string[] {
  const folders = (process.env.PATH ?? '').split(':').filter(folder => posix.isAbsolute(folder))
  const { left } = toolchains({ shown: shownBy(command) })
  return [...new Set(folders)].filter(folder => isOnlyOnHost(folder, command) && !left.includes(folder))
}

/**
 * Where this program's PATH has another program by that name than the task's has: what somebody means who is
 * used to it, and what the task has in its place. Null where they are one, or that is shown.
 */
export function shadowsOnHost(command: Shown): { readonly host: string; readonly task: string } | null {
  const { path, env } = command
  if (path.includes('/') || wantsHostRoot(command)) return null
  const [host, task] = [process.env.PATH, env.PATH ?? defaultPath].map(list => firstOn(list, path))
  if (host === undefined || task === undefined || host === task) return null
  return isOnlyOnHost(host, command) ? { host, task } : null
}

function firstOn(list: string | undefined, name: string): string | undefined {
  const folders = (list ?? '').split(':').filter(folder => posix.isAbsolute(folder))
  return folders.map(folder => posix.join(folder, name)).find(mayExecute)
}

/** Where a program is a link that the task sees, to what it does not: the Python of a venv. */
function leadsTo(program: string, command: Shown): OnlyOnHost[] {
  const places = placesOnTheWay(program).filter(path => isOnlyOnHost(path, command))
  const { mounts } = places.length === 0 ? { mounts: [] } : toolchains({ shown: shownBy(command) })
  return places.map(path => {
    const bin = posix.dirname(path)
    const whole = ['bin', 'sbin'].includes(posix.basename(bin)) ? posix.dirname(bin) : path
    const found = mounts.some(({ source }) => isBelow(path, source))
    return { path, flags: found ? '--toolchains' : `--mount ${whole}:ro` }
  })
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
      return {
        path: program,
        flags: `--toolchains, or --mount ${folder}, and the program by its path, ${program}`,
      }
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
