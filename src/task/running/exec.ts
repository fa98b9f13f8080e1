import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Command } from '../../api.ts'
import { HoldfastError } from '../../errors.ts'
import type { TargetTask } from '../../platform/port.ts'
import type { TaskParts } from '../effects/task-parts.ts'
import { aliveIsHeld, isRunning } from '../shim-life.ts'
import type { RunningLimits } from './limits.ts'

/**
 * A running task, for what exec() starts inside of it. Throws LOST when its start record is gone,
 * INVALID_STATE when its FIFO is.
 */
export function execTarget(
  { dir, file, records }: Pick<TaskParts, 'dir' | 'file' | 'records'>,
  limits: RunningLimits,
): TargetTask {
  const { request, ownUser } = file.spec
  // Inside of what is inside is inside the same task.
  const target: TargetTask = request.inside ?? {
    key: request.key,
    name: request.name,
    alive: `${dir}/alive`,
    start: records.require(),
    rlimits: limits.current.resources?.rlimits ?? {},
    isolation: limits.enforcement.filter(({ kind }) => kind === 'isolation'),
    ...(ownUser !== undefined && { ownUser: ownUser.number }),
  }
  refuseUnwatchable(target)
  return target
}

/**
 * By its FIFO the end of the task is told to what runs inside of it: without, that would outlive it. Whose
 * shim is gone too has ended, and is told so later.
 */
function refuseUnwatchable({ alive, key, start }: TargetTask): void {
  if (aliveIsHeld(dirname(alive)) || !isRunning(start)) return
  throw new HoldfastError(
    'INVALID_STATE',
    `exec() is refused: task ${key} runs, but its FIFO ${alive}, which reports its end, is missing or has been replaced`,
    { stage: 'task', path: alive, hint: 'Stop the task; `holdfast audit` names it.' },
  )
}

/**
 * What a command inside a task begins with: the task's own, but for the program and its streams. Of `logs`
 * the bounds alone: its files lie with its records, under names of their own, and no collector reads them.
 */
export function execCommand(command: Readonly<Command>): Partial<Command> {
  const { path: _path, args: _args, argv0: _argv0, name: _name, interpolate: _raw, ...others } = command
  const { stdin: _in, stdout: _out, stderr: _err, terminal: _terminal, logs, ...rest } = others
  const bounds = typeof logs === 'object' && { logs: { maxBytes: logs.maxBytes, maxFiles: logs.maxFiles } }
  // Its own to change: the task's is frozen.
  return structuredClone({ ...rest, ...bounds })
}

/**
 * Throws INVALID_ARGUMENT for isolation that is not the task's. User, environment, directory and niceness may
 * be others.
 */
export function refuseOtherIsolation(command: Readonly<Command>, ofTask: Readonly<Command>): void {
  const other = isolation.find(field => !isDeepStrictEqual(command[field], ofTask[field]))
  if (other === undefined) return
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    `command.${other} differs from the task's: exec() shares the isolation of the task and cannot change it`,
    { hint: `Leave command.${other} as exec() has set it.` },
  )
}

/** What the task's isolation is made of: what runs inside of it enters that as it is. */
const isolation = [
  'hostname',
  'network',
  'mounts',
  'workspace',
  'tmpfs',
  'devices',
  'root',
  'capabilities',
  'noNewPrivileges',
  'seccomp',
  'namespaces',
  'cgroups',
] as const satisfies readonly (keyof Command)[]
