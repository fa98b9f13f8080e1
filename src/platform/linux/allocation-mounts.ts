import { join } from 'node:path'
import type { MountOp } from '../../spawn/spec.ts'
import type { TaskPaths } from '../port.ts'
import { bind, tmpfsAt } from './mount-ops.ts'
import type { FileMap } from './shared-alloc.ts'

/**
 * Logs are written by shims alone: a task can read its own there, and forge, erase or replace none, its own
 * or a neighbour's. They are its own by its number on the host: no map changes that.
 */
export function allocation(alloc: TaskPaths, files: FileMap | null): MountOp[] {
  const logs = join(alloc.shared, 'logs')
  if (files === null)
    return [
      bind(alloc.shared, '/alloc', false),
      { op: 'readonly', at: '/alloc/logs' },
      bind(alloc.local, '/local', false),
    ]
  return [
    { ...bind(alloc.shared, '/alloc', false, alloc.root), map: files },
    bind(logs, '/alloc/logs', true, alloc.root),
    { ...bind(alloc.local, '/local', false, alloc.root), map: files },
  ]
}

/** None where a tmpfs that was asked for comes to lie. The rest of `/alloc` is not to be written to. */
export function allocationInMemory(own: readonly MountOp[]): MountOp[] {
  const sizes = [
    ['/local', 256],
    ['/alloc/data', 64],
    ['/alloc/tmp', 64],
  ] as const
  return [
    { op: 'readonly', at: '/alloc' },
    ...sizes
      .filter(([at]) => !own.some(op => op.at === at))
      .map(([at, mebibytes]) => tmpfsAt(at, mebibytes * 1024 * 1024)),
  ]
}
