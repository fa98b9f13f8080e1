import { posix } from 'node:path'
import type { Command } from '../api.ts'
import type { FileTarget } from '../spawn/spec.ts'
import type { TaskPaths } from './port.ts'

/**
 * Where the task reads and writes. By default logs in a directory that tasks own, opened beneath the allocation; also a path asked for is
 * opened so when it leads into the allocation, where another task may have planted a link. Any other path is the orchestrator's own.
 */
export function streamTargets(
  { stdin, stdout, stderr }: Readonly<Command>,
  alloc: TaskPaths,
  taskName: string,
): { stdin: FileTarget; stdout: FileTarget; stderr: FileTarget } {
  const logs = posix.join(alloc.shared, 'logs')
  return {
    stdin: fileTarget(stdin ?? 'null', alloc),
    stdout: fileTarget(stdout ?? posix.join(logs, `${taskName}.stdout`), alloc),
    stderr: fileTarget(stderr ?? posix.join(logs, `${taskName}.stderr`), alloc),
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
