import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { posix } from 'node:path'
import type { PlainCommand } from '../api.ts'
import { HoldfastError } from '../errors.ts'
import { workingDirectory } from '../working-directory.ts'
import { wantsHostRoot } from './host-root.ts'

type Shown = Pick<PlainCommand, 'path' | 'args' | 'env' | 'cwd' | 'mounts' | 'root' | 'namespaces'>

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
  const isShown = [...inEveryRoot, ...mounted].some(
    at => path === at || path.startsWith(`${at.replace(/\/$/, '')}/`),
  )
  return path !== '/' && !isShown && existsSync(path)
}

/**
 * The error of a start, with a hint that names what is on the host alone: the working directory; the program, wherever the task's PATH or this program's
 * has it; the interpreter in its `#!` line. Any other error as it is.
 */
export function namingHostPaths(error: unknown, command: Shown): unknown {
  if (!(error instanceof HoldfastError) || error.errno !== 'ENOENT') return error
  const { stage } = error
  if (stage !== 'exec' && stage !== 'chdir') return error
  const found = stage === 'chdir' ? [command.cwd ?? '/'] : programs(command)
  const path = found.find(one => isOnlyOnHost(one, command))
  if (path === undefined) return error
  const { code, message, errno, cause } = error
  const folder = stage === 'chdir' || command.path.includes('/') ? path : posix.dirname(path)
  const hint = `${path} is on the host, and not in the task's root: command.mounts (--mount ${folder}) shows it.`
  return new HoldfastError(code, message, { stage, errno, path: error.path, cause, hint })
}

/** The arguments that name what is on the host alone, as absolute paths. A relative one is looked for in `cwd`, this program's own, where there is one. */
export function argumentsOnlyOnHost(command: Shown, cwd = workingDirectory()): string[] {
  const named = command.args.filter(arg => /[./]/.test(arg) && !/^[./]*$/.test(arg) && !arg.includes('\0'))
  const found = cwd === null ? named.filter(arg => posix.isAbsolute(arg)) : named
  return found.map(arg => posix.resolve(cwd ?? '/', arg)).filter(path => isOnlyOnHost(path, command))
}

function programs({ path, env, cwd = '/' }: Shown): string[] {
  if (path.includes('/')) {
    const program = posix.resolve(cwd, path)
    return [program, ...interpreterOf(program)]
  }
  const folders = [env.PATH, process.env.PATH].flatMap(list => list?.split(':') ?? [])
  return folders.map(folder => posix.join(folder, path))
}

function interpreterOf(script: string): string[] {
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
    return interpreter === undefined ? [] : [interpreter]
  } catch {
    return []
  } finally {
    closeSync(fd)
  }
}
