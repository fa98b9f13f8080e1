import { TextDecoder } from 'node:util'
import type { OutputChunk, OutputLine } from '../api.ts'

type Stream = OutputChunk['stream']
type Open = { readonly decoder: TextDecoder; text: string; at: Date | null }

/**
 * A line that grows beyond this is given in pieces: a program that writes no newline must not fill our
 * memory.
 */
const maxLineLength = 1024 * 1024

/**
 * Pieces of output as lines, each with the time at which it began, in the order in which they ended. The
 * newline, and a carriage return before it, is left out; what stands after the last newline is a line too.
 */
export async function* outputLines(chunks: AsyncIterable<OutputChunk>): AsyncGenerator<OutputLine, void> {
  const open = { stdout: begun(), stderr: begun() }
  for await (const { stream, bytes, at } of chunks) {
    const line = open[stream]
    line.at ??= at
    const [first = '', ...rest] = line.decoder.decode(bytes, { stream: true }).split('\n')
    line.text += first
    for (const next of rest) {
      yield taken(stream, line, at)
      line.text = next
    }
    if (line.text === '') line.at = null
    else if (line.text.length > maxLineLength) {
      yield taken(stream, line, at)
      line.text = ''
    }
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    const line = open[stream]
    line.text += line.decoder.decode()
    if (line.text !== '') yield taken(stream, line, line.at ?? new Date())
  }
}

function begun(): Open {
  return { decoder: new TextDecoder('utf-8', { ignoreBOM: true }), text: '', at: null }
}

/** The line as it stands; the next one begins with the present piece. */
function taken(stream: Stream, line: Open, now: Date): OutputLine {
  const taken = { stream, at: line.at ?? now, line: line.text.replace(/\r$/, '') }
  line.at = now
  return taken
}
