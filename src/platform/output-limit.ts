import type { PlainCommand } from '../api.ts'
import { type Row, skipped, weakened } from './rows.ts'
import { rotationOf } from './streams.ts'

const streams = ['stdout', 'stderr'] as const

/** The row of `outputBytes` as it is for this command: what the shim does not carry it cannot count. */
export function withOutputRow(
  rows: readonly Row[],
  command: Readonly<Pick<PlainCommand, 'logs' | 'stdout' | 'stderr' | 'terminal'>>,
): Row[] {
  const uncounted = streams.filter(stream => !isCounted(command, stream))
  return rows.map(row => {
    if (row.name !== 'outputBytes' || uncounted.length === 0) return row
    const reason = `${uncounted.join(' and ')} ${uncounted.length === 1 ? 'is' : 'are'} written by the task itself, and not counted`
    return uncounted.length === streams.length ? skipped(row, reason, hint) : weakened(row, reason, hint)
  })
}

const hint = "leave out logs: 'plain', and give logs where stdout or stderr is a file of yours"

/** A terminal has one stream. What goes to /dev/null is no output. */
function isCounted(
  command: Readonly<Pick<PlainCommand, 'logs' | 'stdout' | 'stderr' | 'terminal'>>,
  stream: (typeof streams)[number],
): boolean {
  const place = command[stream]
  if (place === 'null' || (command.terminal !== undefined && stream === 'stderr')) return true
  return rotationOf(command, stream) !== null && place?.startsWith('fd:') !== true
}
