import { readSync, writeSync } from 'node:fs'

/** A descriptor, or what came through a pipe. */
export type Source = number | { rest: Buffer }
/** A descriptor, or what is gathered for a pipe. */
export type Sink = number | Buffer[]
export type Streams = readonly [Source, Sink, Sink]

export const standard: Streams = [0, 1, 2]

/** So many bytes at most; none at the end. */
export function take(source: Source, most: number): Buffer {
  if (typeof source === 'number') return takeFrom(source, most)
  const taken = source.rest.subarray(0, most)
  source.rest = source.rest.subarray(most)
  return taken
}

export function put(sink: Sink, text: string | Buffer): void {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  if (typeof sink !== 'number') sink.push(bytes)
  else for (let at = 0; at < bytes.length;) at += writeSync(sink, bytes, at)
}

/** The end of a pipe is an error here on Windows. */
function takeFrom(fd: number, most: number): Buffer {
  const block = Buffer.alloc(most)
  try {
    return block.subarray(0, readSync(fd, block))
  } catch (error) {
    if (['EOF', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')) return Buffer.alloc(0)
    throw error
  }
}
