import type { LogOptions, OutputChunk } from '../api.ts'
import { LogChanges } from './log-changes.ts'
import { held } from './log-stream.ts'
import { OutputReader, type OutputSource, type OutputStream } from './output-reader.ts'
import { type Pull, pull, type Streamed, streamed } from './pulled.ts'

/** The same as {@link readOutput}. */
export function outputStream(source: OutputSource, options: LogOptions = {}): Streamed<OutputChunk> {
  return streamed(() => readOutput(source, options))
}

/**
 * Both streams in the order in which they came, as far as that is kept; else each one's bytes in their own
 * order, and `unordered` says so. Ends as {@link readLog} does.
 */
function readOutput(source: OutputSource, options: LogOptions = {}): Pull<OutputChunk> {
  const only: readonly OutputStream[] = options.only === undefined ? ['stdout', 'stderr'] : [options.only]
  const changes = new LogChanges()
  return pull(held(source, read(source, options, only, changes), changes), () => changes.close())
}

/** One stream's bytes, by what is known of their times. */
export function readBytes(source: OutputSource, options: LogOptions, stream: OutputStream): Pull<Uint8Array> {
  const output = readOutput(source, { ...options, only: stream })
  return {
    next: async () => {
      const next = await output.next()
      return next.done ? { done: true, value: undefined } : { done: false, value: next.value.bytes }
    },
    return: async () => {
      await output.return?.()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

async function* read(
  source: OutputSource,
  options: LogOptions,
  only: readonly OutputStream[],
  changes: LogChanges,
): AsyncGenerator<OutputChunk, void> {
  const { follow = false, tail } = options
  const reader = await changes.retryLeased(() => new OutputReader(source, only, options))
  try {
    if (tail !== undefined && tail > 0) yield* lastLines(reader, tail)
    else if (!follow) yield* reader.present()
    if (!follow) return
    for (;;) {
      changes.readingBegins()
      const writing = source.writing()
      if (writing) for (const target of reader.watched()) changes.watch(target, () => reader.prefetch())
      for (;;) {
        const more = await changes.retryLeased(() => reader.next(writing))
        if (more === null) break
        yield* more
      }
      if (!writing) {
        yield* reader.remaining()
        return
      }
      if (changes.closed) return
      // The index has said nothing of it for a second: then it will say nothing.
      if (!(await changes.next()) && !changes.closed) yield* reader.overdue()
      if (changes.closed) return
    }
  } finally {
    reader.close()
  }
}

/** Counts them first, and then reads them once more. */
function* lastLines(reader: OutputReader, lines: number): Generator<OutputChunk, void> {
  reader.mark()
  let newlines = 0
  let open = false
  for (const { bytes } of reader.present()) {
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) newlines++
    open = bytes.at(-1) !== 10
  }
  reader.rewind()
  let skipped = newlines + (open ? 1 : 0) - lines
  for (const chunk of reader.present()) {
    let from = 0
    for (; skipped > 0; skipped--) {
      const newline = chunk.bytes.indexOf(10, from)
      from = newline === -1 ? chunk.bytes.length : newline + 1
      if (newline === -1) break
    }
    if (from < chunk.bytes.length) yield from === 0 ? chunk : { ...chunk, bytes: chunk.bytes.subarray(from) }
  }
}
