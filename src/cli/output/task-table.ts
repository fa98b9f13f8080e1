import type { TaskFacts } from '../task-facts.ts'
import { escaped } from './escape.ts'
import { type TableOptions, table } from './table.ts'
import type { Colors } from './terminal.ts'
import { timeText } from './units.ts'

/** The table of `ps`; with `all`, columns for those that have ended. */
export function taskTable(
  tasks: readonly TaskFacts[],
  { all, now = Date.now(), ...options }: TableOptions & { readonly all: boolean; readonly now?: number },
): string {
  const { colors } = options
  if (!all) {
    const rows = tasks.map(task => [...first(task, colors), up(task, now), commandText(task)])
    return table(['KEY', 'NAME', 'STATE', 'PID', 'UPTIME', 'COMMAND'], rows, options)
  }
  const rows = tasks.map(task => [
    ...first(task, colors),
    up(task, now),
    ended(task, now),
    ...how(task, colors),
    commandText(task),
  ])
  return table(['KEY', 'NAME', 'STATE', 'PID', 'UPTIME', 'ENDED', 'CAUSE', 'EXIT', 'COMMAND'], rows, options)
}

function first({ key, name, state, pid }: TaskFacts, colors: Colors): string[] {
  const shown =
    state === 'running' ? colors.green(state) : state === 'stopping' ? colors.yellow(state) : state
  return [key, escaped(name), shown, pid === null ? '-' : String(pid)]
}

/** How long it has run, or did. */
function up({ startedAt, exitedAt, state }: TaskFacts, now: number): string {
  if (startedAt === null) return '-'
  const end = exitedAt?.getTime() ?? (state === 'exited' ? null : now)
  return end === null ? '-' : timeText(Math.max(0, end - startedAt.getTime()))
}

function ended({ exitedAt }: TaskFacts, now: number): string {
  return exitedAt === null ? '-' : `${timeText(Math.max(0, now - exitedAt.getTime()))} ago`
}

function how({ cause, exitCode, signal }: TaskFacts, colors: Colors): [cause: string, exit: string] {
  const exit = exitCode === null ? (signal ?? '-') : String(exitCode)
  return [cause ?? '-', exitCode === 0 || exit === '-' ? exit : colors.red(exit)]
}

/** As one would type it, where a word needs no more than quotes. */
function commandText({ command }: TaskFacts): string {
  return command
    .map(word => escaped(/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
}
