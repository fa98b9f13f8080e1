import { setImmediate as turn } from 'node:timers/promises'
import { defer, from, type Observable, Subscription, using } from 'rxjs'

/** So much at once, so that a huge log does not stop the program's other work. */
const turnBytes = 1024 * 1024

/** What is read only as it is asked for, and lets go of its files when nobody asks any more. */
export type Pull<Value> = AsyncIterableIterator<Value>

/**
 * An Observable that is also an async iterable. To subscribe is to be told as fast as it can be read; to
 * iterate (`for await`, `Readable.from`) is to be told at one's own pace, with one piece in memory at a time.
 */
export type Streamed<Value> = Observable<Value> & AsyncIterable<Value>

/** `read` begins to read when the first value is asked for. */
export function streamed<Value>(read: () => Pull<Value>): Streamed<Value> {
  const observable = defer(() => {
    const source = read()
    // from() lets go after the piece it waits for, which of a log that is followed may never come.
    return using(
      () =>
        new Subscription(() => {
          source.return?.().catch(() => {})
        }),
      () => from(source),
    )
  })
  return Object.assign(observable, { [Symbol.asyncIterator]: read })
}

/** A generator whose return() is heard while it waits: `stop` ends the wait. */
export function pull<Value>(source: AsyncGenerator<Value, void>, stop: () => void): Pull<Value> {
  let bytes = 0
  return {
    next: async () => {
      const result = await source.next()
      bytes += result.done ? 0 : sizeOf(result.value)
      if (bytes > turnBytes) {
        bytes = 0
        await turn()
      }
      return result
    },
    return: async () => {
      stop()
      await source.return()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

function sizeOf(value: unknown): number {
  if (value instanceof Uint8Array) return value.length
  return (value as { readonly bytes?: Uint8Array }).bytes?.length ?? 100
}
