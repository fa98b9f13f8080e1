import type { Executor } from '../../index.ts'
import { terminalVariables, windowSize } from './caller-terminal.ts'

type Asked = {
  readonly tty?: boolean | undefined
  readonly interactive?: boolean | undefined
  readonly detach?: boolean | undefined
}

/**
 * What -t and -i mean for a task whose other flags have been read: its terminal, and an input that whoever
 * attaches later finds open.
 */
export function openToTyping(
  { command }: Executor,
  { tty, interactive, detach }: Asked,
  given: Readonly<Record<string, string | undefined>> = command.env,
): void {
  if (tty || (interactive && detach)) command.stdin = 'attach'
  if (!tty) return
  command.terminal = windowSize()
  // Of a session, the task's own is of the terminal of that.
  command.env = { ...command.env, ...terminalVariables(), ...given }
}
