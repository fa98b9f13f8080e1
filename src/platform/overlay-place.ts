import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { workspaceOf } from '../command/workspace.ts'
import type { TaskRequest } from './port.ts'
import type { LaunchSpec } from '../spawn/spec.ts'

type Asked = Pick<TaskRequest, 'command' | 'key' | 'name'>

/** Whether what the task changes in its workspace is kept apart. */
export function hasOverlay({ command }: Pick<Asked, 'command'>): boolean {
  return workspaceOf(command)?.overlay ?? false
}

/**
 * Where that is: beside the directories of an allocation of the task's own, so that `diskBytes` bounds it and
 * it goes with the task. `dir` is the task's record directory. No task of an allocation has that name, and no
 * root of a task's shows it.
 */
export function overlayDirectory({ key, name }: Pick<Asked, 'key' | 'name'>, dir: string): string {
  return join(dirname(dirname(dir)), 'allocs', key, name === 'overlay' ? 'changes' : 'overlay')
}

/** The directory that it is made in is missing where the allocation is the caller's. */
export function makeOverlayPlace({ root }: Pick<LaunchSpec, 'root'>): void {
  for (const operation of root)
    if (operation.op === 'overlay') mkdirSync(dirname(operation.state), { recursive: true, mode: 0o700 })
}
