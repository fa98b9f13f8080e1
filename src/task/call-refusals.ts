import type { Call } from '../../machines/index.ts'
import { HoldfastError } from '../errors.ts'
import { parseTaskId } from './task-id.ts'

/** INVALID_STATE: the supervisor has let go of the task. */
export function detached(cause: unknown): HoldfastError {
  return new HoldfastError('INVALID_STATE', 'the supervisor was closed; the task goes on without it', {
    hint: 'Take it over with openId(id).',
    cause,
  })
}

/** INVALID_STATE: there is no such task any more. */
export function destroyed(call: Call): HoldfastError {
  return new HoldfastError('INVALID_STATE', `${call}() is refused: the executor has been destroyed`, {
    hint: 'Make a new one.',
  })
}

/** INVALID_STATE: nobody has said what is to run. */
export function noCommand(): HoldfastError {
  return new HoldfastError('INVALID_STATE', 'start() is refused: the executor has no command yet', {
    hint: 'Set one with setCommand(executor, name, args), or make the executor with command(name, ...args).',
  })
}

/** The key in a task's id. Throws INVALID_ARGUMENT for an id of another state directory than `ours`. */
export function keyIn(ours: string, id: string): string {
  const { stateDir: theirs, key } = parseTaskId(id)
  if (theirs === ours) return key
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    `id: the task belongs to the state directory ${theirs}, this executor to ${ours}`,
    { hint: 'Open it with openId(id), or through a Supervisor with that stateDir.' },
  )
}

/** LOST: the task was killed, and these are still alive. */
export function survived(pids: readonly number[]): HoldfastError {
  return new HoldfastError('LOST', `processes of the task are still alive: ${pids.join(', ')}`, {
    stage: 'stop',
    hint: 'They are in an uninterruptible system call (state D), usually of a hung network or FUSE mount, or the kernel refused to kill them.',
  })
}
