import { once } from 'node:events'
import { type Supervisor } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { colorsFor } from '../output/terminal.ts'
import { LiveScreen } from '../output/live-screen.ts'
import { TopTable } from '../output/top-table.ts'
import { running, sample } from '../samples.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { stats } from './stats.ts'

const intervalMs = 1000

export async function top(operands: readonly string[], options: CommonOptions): Promise<number> {
  if (options.json || !process.stdout.isTTY || !process.stdin.isTTY || process.env.TERM === 'dumb')
    return await stats(operands, options)
  return await withSupervisor(options, live)
}

async function live(supervisor: Supervisor): Promise<number> {
  const table = new TopTable(colorsFor(process.stdout))
  const ended = new AbortController()
  const end = (): void => ended.abort()
  const screen = new LiveScreen(process.stdout, size => table.lines(size))
  const pressed = (key: Buffer): void => {
    // Raw mode: an interrupt is a key like any other.
    if (['q', '\x03', '\x04'].includes(key.toString())) end()
    else if (table.press(key.toString())) screen.draw()
  }
  process.on('SIGINT', end).on('SIGTERM', end).on('SIGHUP', end)
  process.stdin.setRawMode(true).on('data', pressed).resume()
  screen.open()
  try {
    while (!ended.signal.aborted) {
      const samples = await Promise.all((await running(supervisor)).map(sample))
      table.add(samples.filter(usage => usage !== null))
      screen.draw()
      const pause = AbortSignal.any([ended.signal, AbortSignal.timeout(intervalMs)])
      if (!pause.aborted) await once(pause, 'abort')
    }
    return 0
  } finally {
    screen.close()
    process.stdin.setRawMode(false).off('data', pressed).pause()
    process.off('SIGINT', end).off('SIGTERM', end).off('SIGHUP', end)
  }
}
