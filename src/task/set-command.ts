import type { Executor } from '../api.ts'
import { HoldfastError } from '../errors.ts'

/**
 * Sets program and arguments. A bare name is looked up on the task's own PATH when the task is started, since
 * only then it is known. Throws INVALID_ARGUMENT, INVALID_STATE once started.
 */
export function setCommand(executor: Executor, name: string, args: readonly string[] = []): void {
  if (typeof executor?.command !== 'object') {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `executor: got ${executor === null ? 'null' : typeof executor}, takes an Executor`,
    )
  }
  if (typeof name !== 'string' || name === '' || name.includes('\0')) {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `command name: got ${JSON.stringify(name)}, takes a program's name or path`,
    )
  }
  if (!Array.isArray(args) || args.some(argument => typeof argument !== 'string')) {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `command args: got ${JSON.stringify(args)}, takes an array of strings`,
    )
  }
  if (Object.isFrozen(executor.command))
    throw new HoldfastError('INVALID_STATE', 'setCommand() is refused: the command is frozen by start()')
  executor.command.path = name
  executor.command.args = [...(args as readonly string[])]
}
