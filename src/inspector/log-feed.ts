import { setTimeout as sleep } from 'node:timers/promises'
import type { SSEStreamingApi } from 'hono/streaming'
import type { Executor, OutputChunk } from '../index.ts'
import { redacted } from './redact.ts'

/** What waits for a reader; the page keeps some ten thousand lines. */
const maxBytes = 2 * 1024 * 1024
const messageBytes = 64 * 1024
const tailLines = 10_000
/** What comes within a frame of the page is one message. */
const gatherMs = 16

/** A piece of one stream; `at`: when it came, milliseconds since the epoch, null where nobody noted it. */
export type LogPiece = readonly [stream: OutputChunk['stream'], at: number | null, text: string]

/**
 * Sends what a task prints, both streams in the order in which they came, or one alone. A reader that is
 * slower than the task misses some, and is told how much; nothing piles up.
 */
export async function followLog(
  stream: Pick<SSEStreamingApi, 'writeSSE'>,
  task: Executor,
  only: OutputChunk['stream'] | undefined,
  gone: AbortSignal,
): Promise<void> {
  const waiting = new Waiting()
  let over: { readonly error: string | null } | null = null
  const end = (error: string | null): void => {
    over ??= { error }
    waiting.wake()
  }
  const options = { follow: true, tail: tailLines, ...(only && { only }) }
  const subscription = task.output$(options).subscribe({
    next: chunk => waiting.add(chunk),
    error: (error: Error) => end(redacted(error.message, task.command.env)),
    complete: () => end(null),
  })
  const onGone = (): void => waiting.wake()
  gone.addEventListener('abort', onGone)
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  try {
    while (!gone.aborted) {
      const { chunks, skipped } = waiting.take()
      if (skipped > 0) await stream.writeSSE({ event: 'skipped', data: JSON.stringify({ bytes: skipped }) })
      for (const some of messagesOf(chunks)) {
        if (gone.aborted) return
        const pieces = some.map(({ stream: name, at, bytes, unordered }): LogPiece => {
          return [name, unordered ? null : at.getTime(), decoders[name].decode(bytes, { stream: true })]
        })
        await stream.writeSSE({ event: 'output', data: JSON.stringify({ pieces }) })
      }
      if (waiting.isEmpty && over !== null) {
        await stream.writeSSE({ event: 'end', data: JSON.stringify(over) })
        return
      }
      if (waiting.isEmpty) await waiting.more(() => gone.aborted || over !== null)
      if (over === null && !gone.aborted) await sleep(gatherMs)
    }
  } finally {
    gone.removeEventListener('abort', onGone)
    subscription.unsubscribe()
  }
}

/** What has come and was not sent: the newest of it, and how many bytes there were before. */
class Waiting {
  #chunks: OutputChunk[] = []
  #bytes = 0
  #skipped = 0
  #wake = (): void => {}

  get isEmpty(): boolean {
    return this.#chunks.length === 0 && this.#skipped === 0
  }

  add(chunk: OutputChunk): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.bytes.length
    this.#skipped += chunk.lost ?? 0
    if (this.#bytes > maxBytes) this.#shorten()
    this.wake()
  }

  /** To half of it, so that this is done seldom, however small the chunks are. */
  #shorten(): void {
    let count = 0
    for (; this.#bytes > maxBytes / 2 && count < this.#chunks.length - 1; count++) {
      const length = this.#chunks[count]?.bytes.length ?? 0
      this.#bytes -= length
      this.#skipped += length
    }
    this.#chunks.splice(0, count)
  }

  take(): { readonly chunks: readonly OutputChunk[]; readonly skipped: number } {
    const taken = { chunks: this.#chunks, skipped: this.#skipped }
    this.#chunks = []
    this.#bytes = 0
    this.#skipped = 0
    return taken
  }

  wake(): void {
    this.#wake()
  }

  /** Resolves when something has come, or at a wake after which `isOver`. */
  more(isOver: () => boolean): Promise<void> {
    return new Promise(resolve => {
      this.#wake = () => {
        if (!this.isEmpty || isOver()) resolve()
      }
      this.#wake()
    })
  }
}

/** Whole chunks, as many as one message takes; one that is larger is cut. */
function* messagesOf(chunks: readonly OutputChunk[]): Generator<OutputChunk[]> {
  let some: OutputChunk[] = []
  let bytes = 0
  for (const chunk of chunks)
    for (let from = 0; from < chunk.bytes.length; from += messageBytes) {
      const part = { ...chunk, bytes: chunk.bytes.subarray(from, from + messageBytes) }
      if (bytes + part.bytes.length > messageBytes && some.length > 0) {
        yield some
        some = []
        bytes = 0
      }
      some.push(part)
      bytes += part.bytes.length
    }
  if (some.length > 0) yield some
}
