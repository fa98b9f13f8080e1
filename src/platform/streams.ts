import { posix } from 'node:path'
import type { FileTarget, LaunchSpec } from '../spawn/spec.ts'
import type { TaskPaths, TaskRequest } from './port.ts'

/**
 * Where the task reads and writes. By default logs in a directory that tasks own, opened beneath the allocation; also a path asked for is
 * opened so when it leads into the allocation, where another task may have planted a link. Any other path is the orchestrator's own.
 * What runs inside a task has its logs with its own records: they are its own, and go with it.
 */
export function streamTargets(
  { command, alloc, name, fed, inside }: Pick<TaskRequest, 'command' | 'alloc' | 'name' | 'fed' | 'inside'>,
  dir: string,
): Pick<LaunchSpec, 'stdin' | 'stdout' | 'stderr' | 'logRotation'> {
  const { stdin, stdout, stderr } = command
  const logs = inside ? `${dir}/` : posix.join(alloc.shared, 'logs', `${name}.`)
  return {
    stdin: fed ? { base: null, path: posix.join(dir, 'stdin') } : fileTarget(stdin ?? 'null', alloc),
    stdout: fileTarget(stdout ?? `${logs}stdout`, alloc),
    stderr: fileTarget(stderr ?? `${logs}stderr`, alloc),
    logRotation: command.logs ?? null,
  }
}

function fileTarget(asked: string, alloc: TaskPaths): FileTarget {
  const path = pathOrNull(asked)
  const base = baseOf(path, alloc)
  return { base, path: base === null ? path : posix.relative(base, posix.normalize(path)) }
}

/** The allocation, when the path leads into it; else null. */
export function baseOf(path: string, { root }: TaskPaths): string | null {
  return posix.normalize(path).startsWith(`${root}/`) ? root : null
}

function pathOrNull(path: string): string {
  return path === 'null' ? '/dev/null' : path
}
