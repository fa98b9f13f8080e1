import { setTimeout as sleep } from 'node:timers/promises'
import type { Supervisor } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { jsonLine } from '../output/escape.ts'
import { colorsFor } from '../output/terminal.ts'
import { LiveScreen } from '../output/live-screen.ts'
import { TopTable } from '../output/top-table.ts'
import { running, Sampler } from '../samples.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { stats } from './stats.ts'

const intervalMs = 1000
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
  const sampler = new Sampler()
  const ended = new AbortController()
  const end = (): void => ended.abort()
  for (const signal of endSignals) process.on(signal, end)
  try {
    while (!ended.signal.aborted) {
      const tasks = await sampler.sample(await running(supervisor))
      process.stdout.write(`${jsonLine({ at: new Date(), tasks })}\n`)
      await pause(intervalMs, ended.signal)
    }
    return 0
  } finally {
    sampler.end()
    for (const signal of endSignals) process.off(signal, end)
  }
}

async function live(supervisor: Supervisor): Promise<number> {
  const table = new TopTable(colorsFor(process.stdout))
  const sampler = new Sampler()
  const ended = new AbortController()
  const end = (): void => ended.abort()
  const screen = new LiveScreen(process.stdout, size => table.lines(size))
  const pressed = (typed: Buffer): void => {
    const keys = keysOf(typed.toString())
    // Raw mode: an interrupt is a key like any other.
    if (['q', '\x03', '\x04'].some(last => keys.includes(last))) end()
    else if (keys.map(key => table.press(key)).includes(true)) screen.draw()
  }
  for (const signal of endSignals) process.on(signal, end)
  process.stdin.setRawMode(true).on('data', pressed).resume()
  screen.open()
  try {
    while (!ended.signal.aborted) {
      table.add(await sampler.sample(await running(supervisor)))
      screen.draw()
      await pause(intervalMs, ended.signal)
    }
    return 0
  } finally {
    sampler.end()
    screen.close()
    process.stdin.setRawMode(false).off('data', pressed).pause()
    for (const signal of endSignals) process.off(signal, end)
  }
}

/** Not AbortSignal.any(): Node 20 may collect one that nobody but a listener holds, and its timeout with it. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {})
}

/** What is held down, or typed while the program is busy, arrives in one piece. */
function keysOf(typed: string): string[] {
  return typed.match(/\x1b[[O][\d;]*[A-Za-z~]|[^]/gu) ?? []
}
