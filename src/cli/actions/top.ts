import { fromEvent, lastValueFrom, merge, NEVER, type Observable, Subject, takeUntil, tap } from 'rxjs'
import type { Supervisor } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { jsonLine } from '../output/escape.ts'
import { colorsFor } from '../output/terminal.ts'
import { LiveScreen } from '../output/live-screen.ts'
import { TopTable } from '../output/top-table.ts'
import type { TaskUsage } from '../output/usage-table.ts'
import { samples$ } from '../samples.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { stats } from './stats.ts'

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export async function top(operands: readonly string[], options: CommonOptions): Promise<number> {
  const { stateDir } = options
  if (options.json) return await withSupervisor({ stateDir }, stream)
  if (!process.stdout.isTTY || !process.stdin.isTTY || process.env.TERM === 'dumb')
    return await stats(operands, options)
  return await withSupervisor({ stateDir }, live)
}

/** A line of JSON each second, until it is interrupted or nobody reads any more. */
async function stream(supervisor: Supervisor): Promise<number> {
  await untilEnded(supervisor, tasks => process.stdout.write(`${jsonLine({ at: new Date(), tasks })}\n`))
  return 0
}

async function live(supervisor: Supervisor): Promise<number> {
  const table = new TopTable(colorsFor(process.stdout))
  const quit = new Subject<void>()
  const screen = new LiveScreen(process.stdout, size => table.lines(size))
  const pressed = (typed: Buffer): void => {
    const keys = keysOf(typed.toString())
    // Raw mode: an interrupt is a key like any other.
    if (['q', '\x03', '\x04'].some(last => keys.includes(last))) quit.next()
    else if (keys.map(key => table.press(key)).includes(true)) screen.draw()
  }
  const show = (tasks: TaskUsage[]): void => {
    table.add(tasks)
    screen.draw()
  }
  process.stdin.setRawMode(true).on('data', pressed).resume()
  screen.open()
  try {
    await untilEnded(supervisor, show, quit)
    return 0
  } finally {
    screen.close()
    process.stdin.setRawMode(false).off('data', pressed).pause()
  }
}

/** Shows sample after sample until a signal comes, or `quit` says so. */
async function untilEnded(
  supervisor: Supervisor,
  show: (tasks: TaskUsage[]) => void,
  quit: Observable<void> = NEVER,
): Promise<void> {
  const signals = endSignals.map(signal => fromEvent(process, signal))
  const samples = samples$(supervisor).pipe(tap(show), takeUntil(merge(quit, ...signals)))
  await lastValueFrom(samples, { defaultValue: [] })
}

/** What is held down, or typed while the program is busy, arrives in one piece. */
function keysOf(typed: string): string[] {
  return typed.match(/\x1b[[O][\d;]*[A-Za-z~]|[^]/gu) ?? []
}
