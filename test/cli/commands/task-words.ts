import type { Command } from 'commander'
import { holdfast } from '../../../src/cli/program.ts'

/** The commands whose exit code is a task's, so that 125 says that holdfast itself failed. */
export const asTasks: ReadonlySet<string> = new Set(['run', 'wait', 'exec', 'attach'])

/** Their 1 says that something differs. */
const compares: ReadonlySet<string> = new Set(['verify', 'nomad-check'])

/** What a command ends with when it has failed itself. */
export function failureCode(name: string): number {
  if (compares.has(name)) return 2
  return asTasks.has(name) ? 125 : 1
}

/** The commands that are given a TASK. */
export const onTasks: readonly Command[] = holdfast().commands.filter(
  ({ registeredArguments: [first] }) => first?.name() === 'TASK',
)

export function takesJson(command: Command): boolean {
  return command.options.some(({ long }) => long === '--json')
}

/** What else some of them need before and after their TASK, to do something. */
const before: Readonly<Record<string, readonly string[]>> = {
  update: ['--timeout', '1h'],
  attach: ['--no-stdin'],
  exec: ['-q'],
}
const after: Readonly<Record<string, readonly string[]>> = { exec: ['true'] }

/** The words of a command on the task that `word` means. */
export function on(command: Command, word: string, ...flags: readonly string[]): string[] {
  const name = command.name()
  return [name, ...flags, ...(before[name] ?? []), word, ...(after[name] ?? [])]
}
