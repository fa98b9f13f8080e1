import { readSync, writeSync } from 'node:fs'

/** A descriptor, or what came through a pipe. */
export type Source = number | { rest: Buffer }
/** A descriptor, or what is gathered for a pipe. */
export type Sink = number | Buffer[]
export type Streams = readonly [Source, Sink, Sink]

export const standard: Streams = [0, 1, 2]

/** So many bytes at max; none at the end. */
export function take(source: Source, max: number): Buffer {
  if (typeof source === 'number') return takeFrom(source, max)
  const taken = source.rest.subarray(0, max)
  source.rest = source.rest.subarray(max)
  return taken
}

export function put(sink: Sink, text: string | Buffer): void {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  if (typeof sink !== 'number') sink.push(bytes)
  else for (let at = 0; at < bytes.length;) at += writeSync(sink, bytes, at)
}

/** The end of a pipe is an error here on Windows. */
function takeFrom(fd: number, max: number): Buffer {
  const block = Buffer.alloc(max)
  try {
    return block.subarray(0, readSync(fd, block))
  } catch (error) {
    if (['EOF', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')) return Buffer.alloc(0)
    throw error
  }
}
