import type { Executor, WaitResult } from '../../index.ts'
import { whenReaderGoes } from '../output/hang-up.ts'
import type { StateLine } from '../output/state-line.ts'

/**
 * Starts a task and stays with it: prints what it prints, passes interrupts on as stops, resolves to its result.
 * Rejects when it could not be started, or could not be stopped.
 */
export async function attend(
  task: Executor,
  start: () => Promise<void>,
  { printing, line }: { readonly printing: boolean; readonly line: StateLine | null },
): Promise<WaitResult> {
  const stops = new Stops(task)
  const interrupted = (): void => stops.ask(stops.asked ? 'kill' : 'stop')
  const terminated = (): void => stops.ask('stop')
  process.on('SIGINT', interrupted).on('SIGTERM', terminated)
  whenReaderGoes(() => stops.ask('hangUp'))
  let forget = (): void => {}
  try {
    await start()
    stops.started()
    forget = line?.follow(task) ?? forget
    const printed = printing ? Promise.all([print(task, 'stdout', line), print(task, 'stderr', line)]) : null
    // Whatever goes wrong first is what is told.
    printed?.catch(() => {})
    const result = await Promise.race([task.wait(), stops.failed])
    await stops.settled()
    await printed
    return result
  } finally {
    forget()
    process.off('SIGINT', interrupted).off('SIGTERM', terminated)
  }
}

type Stop = 'stop' | 'kill' | 'hangUp'

/** The stops that were asked for. One that comes while the task is being prepared is remembered until there is something to stop. */
class Stops {
  readonly #task: Executor
  readonly #running: Promise<unknown>[] = []
  #waiting: Stop | null = null
  #started = false
  #fail: (error: unknown) => void = () => {}
  /** Rejects when a stop did not reach the task: there may be no result to wait for. */
  readonly failed = new Promise<never>((_, reject) => {
    this.#fail = reject
  })

  constructor(task: Executor) {
    this.#task = task
    this.failed.catch(() => {})
  }

  get asked(): boolean {
    return this.#waiting !== null || this.#running.length > 0
  }

  ask(stop: Stop): void {
    if (!this.#started) this.#waiting = stop
    else this.#running.push(this.#carryOut(stop).catch(this.#fail))
  }

  started(): void {
    this.#started = true
    if (this.#waiting !== null) this.ask(this.#waiting)
    this.#waiting = null
  }

  /** Rejects when one of the stops that were asked for did. */
  async settled(): Promise<void> {
    await Promise.race([Promise.all(this.#running), this.failed])
  }

  #carryOut(stop: Stop): Promise<unknown> {
    if (stop === 'kill') return this.#task.forceStop()
    // What a program gets that writes to nobody.
    return this.#task.shutdown(stop === 'hangUp' ? { signal: 'SIGPIPE' } : {})
  }
}

async function print(task: Executor, name: 'stdout' | 'stderr', line: StateLine | null): Promise<void> {
  await task.logs$(name, { follow: true }).forEach(chunk => {
    const write = (): boolean => process[name].write(chunk)
    if (line === null) write()
    else line.around(chunk, write)
  })
}
