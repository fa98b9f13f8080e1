import type { Executor } from '../api.ts'
import { HoldfastError } from '../errors.ts'
import { invalidArgument } from '../invalid-argument.ts'

/**
 * Sets program and arguments. A bare name is looked up on the task's own PATH when the task is started, since
 * only then it is known. Throws INVALID_ARGUMENT, INVALID_STATE once started.
 */
export function setCommand(executor: Executor, name: string, args: readonly string[] = []): void {
  if (typeof executor?.command !== 'object') {
    throw invalidArgument('executor', Symbol(executor === null ? 'null' : typeof executor), 'an Executor')
  }
  if (typeof name !== 'string' || name === '' || name.includes('\0')) {
    throw invalidArgument('command name', name, "a program's name or path")
  }
  if (!Array.isArray(args) || args.some(argument => typeof argument !== 'string')) {
    throw invalidArgument('command args', args, 'an array of strings')
  }
  if (Object.isFrozen(executor.command))
    throw new HoldfastError('INVALID_STATE', 'setCommand() is refused: the command is frozen by start()')
  executor.command.path = name
  executor.command.args = [...(args as readonly string[])]
}
