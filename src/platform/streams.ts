import { devNull } from 'node:os'
import { join, normalize, relative, sep } from 'node:path'
import type { PlainCommand } from '../api.ts'
import type { FileTarget, LaunchSpec } from '../spawn/spec.ts'
import type { TaskPaths, TaskRequest } from './port.ts'

/**
 * Where the task reads and writes. By default logs in a directory that tasks own, opened beneath the
 * allocation; also a path asked for is opened so when it leads into the allocation, where another task may
 * have planted a link. Any other path is the orchestrator's own.
 * What runs inside a task has its logs with its own records: they are its own, and go with it.
 */
export function streamTargets(
  { command, alloc, name, fed, inside }: Pick<TaskRequest, 'command' | 'alloc' | 'name' | 'fed' | 'inside'>,
  dir: string,
): Pick<LaunchSpec, 'stdin' | 'stdinOpen' | 'stdout' | 'stderr' | 'logRotation' | 'collected' | 'plainLogs'> {
  const { stdout, stderr, terminal } = command
  // A terminal that nobody types into is silent, not at its end.
  const stdin = command.stdin ?? (terminal === undefined ? 'null' : 'attach')
  const isOpen = !fed && stdin === 'attach'
  const log = (stream: (typeof outputs)[number]): FileTarget =>
    inside ? fileTarget(`${dir}/${stream}`, alloc) : logTarget(`logs${sep}${name}.${stream}`, alloc)
  return {
    stdin: fed ? { base: null, path: join(dir, 'stdin') } : fileTarget(isOpen ? 'null' : stdin, alloc),
    ...(isOpen && { stdinOpen: true }),
    stdout: stdout === undefined ? log('stdout') : fileTarget(stdout, alloc),
    stderr: stderr === undefined ? log('stderr') : fileTarget(stderr, alloc),
    ...carriage(command),
  }
}

/** What a stream's log is kept to unless `command.logs` says otherwise: 128 MiB. */
const defaultRotation = { maxBytes: 32 * 1024 * 1024, maxFiles: 4 }

const outputs = ['stdout', 'stderr'] as const

/**
 * How a stream's log is rotated by the shim that writes it; null: the task writes it itself. A path that the
 * orchestrator has named is left alone unless it has asked for that: others may read it, and know nothing of
 * its predecessors.
 */
export function rotationOf(
  command: Readonly<Pick<PlainCommand, 'logs' | 'stdout' | 'stderr'>>,
  stream: 'stdout' | 'stderr',
): LaunchSpec['logRotation'] {
  if (typeof command.logs === 'string') return null
  return command.logs ?? (command[stream] === undefined ? defaultRotation : null)
}

function carriage(
  command: Readonly<PlainCommand>,
): Pick<LaunchSpec, 'logRotation' | 'collected' | 'plainLogs'> {
  const plain = outputs.filter(stream => rotationOf(command, stream) === null)
  const [carried] = outputs.flatMap(stream => rotationOf(command, stream) ?? [])
  return {
    logRotation: carried ?? null,
    ...(command.logs === 'collected' && { collected: true }),
    ...(carried !== undefined && plain.length > 0 && { plainLogs: plain }),
  }
}

/** As most are: beneath the allocation, as it stands, and so without looking for the way. */
function logTarget(path: string, alloc: TaskPaths): FileTarget {
  const { root, shared } = alloc
  return shared.startsWith(`${root}${sep}`)
    ? { base: root, path: `${shared.slice(root.length + 1)}${sep}${path}` }
    : fileTarget(join(shared, path), alloc)
}

function fileTarget(path: string, alloc: TaskPaths): FileTarget {
  if (path === 'null') return { base: null, path: devNull }
  const base = baseOf(path, alloc)
  if (base === null) return { base, path }
  const normal = normalize(path)
  const isSpeltAlike = normal.startsWith(base + sep) && !normal.endsWith(sep)
  return { base, path: isSpeltAlike ? normal.slice(base.length + 1) : relative(base, normal) }
}

/** The allocation, when the path leads into it; else null. */
export function baseOf(path: string, { root }: TaskPaths): string | null {
  return comparable(path).startsWith(comparable(root + sep)) ? root : null
}

/** Windows knows no case in names. */
function comparable(path: string): string {
  const normal = normalize(path)
  return process.platform === 'win32' ? normal.toLowerCase() : normal
}
