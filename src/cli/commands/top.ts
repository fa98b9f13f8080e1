import type { Command } from 'commander'
import type { Supervisor } from '../../index.ts'
import { jsonLine } from '../output/escape.ts'
import { LiveScreen } from '../output/live-screen.ts'
import { colorsFor } from '../output/terminal.ts'
import { TopTable } from '../output/top-table.ts'
import type { TaskUsage } from '../output/usage-table.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { stats } from './stats.ts'
import { carriedOutBy, subcommand, type CommonOptions } from './subcommand.ts'

export function topCommand(): Command {
  const command = subcommand('top')
    .summary('watch what tasks use')
    .description(
      'Shows what every running task uses, again and again. Shows it once if the output is not a terminal; with --json, prints a line each second.',
    )
    .option('--json', 'print one JSON document a line, each second, and nothing else')
    .addHelpText('after', more)
  return carriedOutBy(command, top)
}

const more = `
Keys: c sorts by CPU, m by memory, p by processes, n by name; up, down, the page keys, Home and End move; q ends it.

Examples:
  holdfast top
  holdfast top --json | jq -c '.tasks[] | [.task.name, .memoryBytes]'

Exit codes: 0; 1 if the state directory could not be read.`

async function top(options: CommonOptions): Promise<number> {
  const { stateDir } = options
  if (options.json) return await withSupervisor({ stateDir }, stream)
  if (!process.stdout.isTTY || !process.stdin.isTTY || process.env.TERM === 'dumb')
    return await stats(options)
  return await withSupervisor({ stateDir }, live)
}

/** A line of JSON each second, until it is interrupted or nobody reads any more. */
async function stream(supervisor: Supervisor): Promise<number> {
  const { untilEnded } = await import('../live-samples.ts')
  await untilEnded(supervisor, tasks => process.stdout.write(`${jsonLine({ at: new Date(), tasks })}\n`))
  return 0
}

async function live(supervisor: Supervisor): Promise<number> {
  const { untilEnded } = await import('../live-samples.ts')
  const table = new TopTable(colorsFor(process.stdout))
  const quit = new AbortController()
  const screen = new LiveScreen(process.stdout, size => table.lines(size))
  const pressed = (typed: Buffer): void => {
    const keys = keysOf(typed.toString())
    // Raw mode: an interrupt is a key like any other.
    if (['q', '\x03', '\x04'].some(last => keys.includes(last))) quit.abort()
    else if (keys.map(key => table.press(key)).includes(true)) screen.draw()
  }
  const show = (tasks: TaskUsage[]): void => {
    table.add(tasks)
    screen.draw()
  }
  process.stdin.setRawMode(true).on('data', pressed).resume()
  screen.open()
  try {
    await untilEnded(supervisor, show, quit.signal)
    return 0
  } finally {
    screen.close()
    process.stdin.setRawMode(false).off('data', pressed).pause()
  }
}

/** What is held down, or typed while the program is busy, arrives in one piece. */
function keysOf(typed: string): string[] {
  return typed.match(/\x1b[[O][\d;]*[A-Za-z~]|[^]/gu) ?? []
}
