import type { Executor, LogOptions, WaitResult } from '../../index.ts'
import { type OutputFailure, whenOutputFails } from '../output/hang-up.ts'
import { print, Remarks } from '../output/printing.ts'
import { escaped } from '../output/escape.ts'
import type { StateLine } from '../output/state-line.ts'

/**
 * How it ended, and whether what it printed could be passed on; a reader that has gone away is no failure.
 */
export type Attended = { readonly result: WaitResult; readonly unprinted: boolean }

/**
 * Starts a task and stays with it: prints what it prints, passes interrupts on as stops, resolves to its
 * result. A task whose output can go nowhere any more is stopped: nobody would know of it.
 * Rejects when it could not be started, or could not be stopped.
 */
export async function attend(
  task: Executor,
  start: () => Promise<void>,
  { printing, line }: { readonly printing: boolean; readonly line: StateLine | null },
): Promise<Attended> {
  return await stoppable(task, start, async stops => {
    const forget = line?.follow(task)
    try {
      const printed = printing ? follow(task, line) : null
      // Whatever goes wrong first is what is told.
      printed?.catch(() => {})
      const result = await Promise.race([task.wait(), stops.failed])
      await stops.carriedOut()
      await printed
      return result
    } finally {
      forget?.()
    }
  })
}

/**
 * The same with the caller's terminal as the task's, so that what is typed there is no interrupt of ours.
 * `'detached'`: the caller has left it.
 */
export async function attendAtTerminal(
  task: Executor,
  start: () => Promise<void>,
): Promise<Attended | 'detached'> {
  const attended = await stoppable(task, start, async stops => {
    const { atTerminal } = await import('../terminal/at-terminal.ts')
    const never = new AbortController().signal
    const how = await Promise.race([atTerminal(task, { joined: false, letGo: never }), stops.failed])
    if (how === 'detached') return how
    const result = await Promise.race([task.wait(), stops.failed])
    await stops.carriedOut()
    return result
  })
  return attended.result === 'detached' ? 'detached' : { ...attended, result: attended.result }
}

async function stoppable<Result>(
  task: Executor,
  start: () => Promise<void>,
  stay: (stops: Stops) => Promise<Result>,
): Promise<{ readonly result: Result; readonly unprinted: boolean }> {
  const stops = new Stops(task)
  const interrupted = (): void => stops.ask(stops.asked ? 'kill' : 'stop')
  const terminated = (): void => stops.ask('stop')
  process.on('SIGINT', interrupted).on('SIGTERM', terminated)
  let unprinted = false
  whenOutputFails((failure: OutputFailure) => {
    // What is left to be printed fails as well.
    if (unprinted) return
    unprinted = failure !== null
    if (failure !== null)
      process.stderr.write(`holdfast: task ${task.key} (${escaped(task.name)}) is stopped for that\n`)
    stops.ask(failure === null ? 'hangUp' : 'stop')
  })
  try {
    await start()
    stops.started()
    const result = await stay(stops)
    return { result, unprinted }
  } finally {
    whenOutputFails()
    process.off('SIGINT', interrupted).off('SIGTERM', terminated)
  }
}

type Stop = 'stop' | 'kill' | 'hangUp'

/**
 * The stops that were asked for. One that comes while the task is being prepared is remembered until there is
 * something to stop.
 */
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
  async carriedOut(): Promise<void> {
    await Promise.race([Promise.all(this.#running), this.failed])
  }

  #carryOut(stop: Stop): Promise<unknown> {
    if (stop === 'kill') return this.#task.forceStop()
    // What a program gets that writes to nobody.
    return this.#task.shutdown(stop === 'hangUp' ? { signal: 'SIGPIPE' } : {})
  }
}

/** Both streams in order, no faster than they are taken. */
export async function follow(
  task: Executor,
  line: StateLine | null,
  options: Pick<LogOptions, 'tail'> = {},
): Promise<void> {
  const remarks = new Remarks()
  const seen = new Set<string>()
  for await (const chunk of task.output$({ ...options, follow: true })) {
    const { stream, bytes } = chunk
    seen.add(stream)
    await remarks.about(chunk, seen)
    let printed = Promise.resolve()
    const write = (): void => {
      printed = print(stream, bytes)
    }
    if (line === null) write()
    else line.around(bytes, write)
    await printed
  }
}
