import { Readable } from 'node:stream'
import type { Executor, OutputChunk, OutputLine, RunningTask, RunResult } from '../api.ts'
import { HoldfastError } from '../errors.ts'
import { CollectedOutput } from './collected-output.ts'
import type { ParsedRun } from './options.ts'
import { outputLines } from './output-lines.ts'
import { OutputReaders } from './output-readers.ts'

/** Starts the task, and is its result and its output at once. `task` has its command. */
export function runningTask(task: Executor, options: ParsedRun): RunningTask {
  const collected = new CollectedOutput(options.maxOutputBytes)
  const started = start(task, options)
  const readers = new OutputReaders(task, started, collected)
  const result = toTheEnd(task, options, started, collected, readers)
  // Whoever reads the output is told there of a start that failed, and need not wait for the result.
  const handled = (): void => void result.catch(() => {})
  const streams = new Map<'stdout' | 'stderr', Readable>()
  const stream = (name: 'stdout' | 'stderr'): Readable => {
    handled()
    const known = streams.get(name) ?? Readable.from(bytesOf(readers.read(name)), { objectMode: false })
    streams.set(name, known)
    return known
  }
  return Object.defineProperties(result, {
    task: { value: task, enumerable: true },
    stdout: { get: () => stream('stdout'), enumerable: true },
    stderr: { get: () => stream('stderr'), enumerable: true },
    [Symbol.asyncIterator]: {
      value: (): AsyncIterator<OutputLine> => {
        handled()
        return outputLines(readers.read())
      },
    },
    [Symbol.asyncDispose]: {
      value: async (): Promise<void> => {
        handled()
        await task.destroy()
        await result.catch(() => {})
      },
    },
  }) as RunningTask
}

/** Resolves when the program has been exec'ed. */
async function start(task: Executor, { limits, signal }: ParsedRun): Promise<void> {
  signal?.throwIfAborted()
  if (limits !== null) await task.limit(limits)
  // A signal of the start's own: what stops the task later is run()'s, by its own options.
  const starting = new AbortController()
  const abort = (): void => starting.abort(signal?.reason)
  signal?.addEventListener('abort', abort)
  try {
    await task.start({ signal: starting.signal })
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

async function toTheEnd(
  task: Executor,
  { shutdown, signal, keep }: ParsedRun,
  started: Promise<void>,
  collected: CollectedOutput,
  readers: OutputReaders,
): Promise<RunResult> {
  try {
    await started
  } catch (error) {
    // What failed first is what is to be told.
    await task.destroy().catch(() => {})
    throw error
  }
  const stop = (): void => void task.shutdown(shutdown).catch(() => {})
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  try {
    const collecting = collect(task, collected)
    const result = await task.wait()
    await collecting
    await readers.idle()
    if (!keep) await task.destroy()
    return { ...result, ...collected.text() }
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

async function collect(task: Executor, collected: CollectedOutput): Promise<void> {
  try {
    for await (const chunk of task.output$({ follow: true })) if (!collected.add(chunk)) return
  } catch (error) {
    // Both streams go to where nobody can read them back: a FIFO, a descriptor, nothing.
    if (!(error instanceof HoldfastError) || error.code !== 'UNSUPPORTED') throw error
  }
}

async function* bytesOf(chunks: AsyncIterable<OutputChunk>): AsyncGenerator<Uint8Array, void> {
  for await (const { bytes } of chunks) yield bytes
}
