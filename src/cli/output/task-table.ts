import type { TaskFacts } from '../task-facts.ts'
import { escaped } from './escape.ts'
import { type TableOptions, table } from './table.ts'
import type { Colors } from './terminal.ts'
import { timeText } from './units.ts'

type Column = {
  readonly title: string
  readonly cell: (task: TaskFacts, colors: Colors, now: number) => string
  /** It says something of those that have ended alone. */
  readonly ofEnded?: true
}

const columns: readonly Column[] = [
  { title: 'KEY', cell: ({ key }) => key },
  { title: 'NAME', cell: ({ name }) => escaped(name) },
  { title: 'STATE', cell: stateText },
  { title: 'PID', cell: ({ pid }) => (pid === null ? '-' : String(pid)) },
  { title: 'UPTIME', cell: (task, _, now) => up(task, now) },
  { title: 'ENDED', cell: (task, _, now) => ended(task, now), ofEnded: true },
  { title: 'CAUSE', cell: ({ cause }) => cause ?? '-', ofEnded: true },
  { title: 'EXIT', cell: exitText, ofEnded: true },
  { title: 'COMMAND', cell: commandText },
]

/** The table of `ps`; with `all`, columns for those that have ended. */
export function taskTable(
  tasks: readonly TaskFacts[],
  { all, now = Date.now(), ...options }: TableOptions & { readonly all: boolean; readonly now?: number },
): string {
  const shown = columns.filter(({ ofEnded }) => all || !ofEnded)
  const rows = tasks.map(task => shown.map(({ cell }) => cell(task, options.colors, now)))
  return table(
    shown.map(({ title }) => title),
    rows,
    options,
  )
}

function stateText({ state }: TaskFacts, colors: Colors): string {
  return state === 'running' ? colors.green(state) : state === 'stopping' ? colors.yellow(state) : state
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

function exitText({ exitCode, signal }: TaskFacts, colors: Colors): string {
  const exit = exitCode === null ? (signal ?? '-') : String(exitCode)
  return exitCode === 0 || exit === '-' ? exit : colors.red(exit)
}

/** As one would type it, where a word needs no more than quotes. */
function commandText({ command }: TaskFacts): string {
  return command
    .map(word => escaped(/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
}
