import { TextDecoder } from 'node:util'
import type { OutputChunk } from '../api.ts'

type Stream = OutputChunk['stream']

/** What a program has written, kept in memory up to a size for each stream, in the order in which it came. */
export class CollectedOutput {
  readonly #left: Record<Stream, number>
  readonly #chunks: OutputChunk[] = []
  #truncated = false

  constructor(maxBytes: number) {
    this.#left = { stdout: maxBytes, stderr: maxBytes }
  }

  /** False: there is no room left, and something has been left out: nothing more need be read. */
  add(chunk: OutputChunk): boolean {
    const { stream, bytes, lost } = chunk
    const room = this.#left[stream]
    const kept = bytes.length <= room ? bytes : bytes.subarray(0, room)
    if (kept.length < bytes.length || lost !== undefined) this.#truncated = true
    if (kept.length > 0) this.#chunks.push({ ...chunk, bytes: kept })
    this.#left[stream] = room - kept.length
    return !this.#truncated || this.#left.stdout > 0 || this.#left.stderr > 0
  }

  get chunks(): readonly OutputChunk[] {
    return this.#chunks
  }

  /**
   * Each stream is decoded by itself: a character whose bytes lie in two pieces stays whole, whatever came
   * between them.
   */
  text(): {
    readonly stdout: string
    readonly stderr: string
    readonly output: string
    readonly truncated: boolean
  } {
    const decoders = { stdout: decoder(), stderr: decoder() }
    const parts: Record<Stream | 'output', string[]> = { stdout: [], stderr: [], output: [] }
    const add = (stream: Stream, text: string): void => {
      parts[stream].push(text)
      parts.output.push(text)
    }
    for (const { stream, bytes } of this.#chunks)
      add(stream, decoders[stream].decode(bytes, { stream: true }))
    for (const stream of ['stdout', 'stderr'] as const) add(stream, decoders[stream].decode())
    const { stdout, stderr, output } = parts
    return {
      stdout: stdout.join(''),
      stderr: stderr.join(''),
      output: output.join(''),
      truncated: this.#truncated,
    }
  }
}

function decoder(): TextDecoder {
  return new TextDecoder('utf-8', { ignoreBOM: true })
}
