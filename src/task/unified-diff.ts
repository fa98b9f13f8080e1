import { formatPatch, OMIT_HEADERS, structuredPatch } from 'diff'

/**
 * The task chooses what is compared, and the caller's program stands still meanwhile: what takes longer, or
 * has more lines, is shown as replaced, which is as true.
 */
const longestMs = 100
const mostLines = 100_000
const context = 3

/**
 * The hunks of a unified diff, byte for byte; empty where both are the same. What is the same at the
 * beginning and at the end is never shown as changed.
 */
export function unifiedDiff(before: Buffer, after: Buffer): Buffer {
  if (before.equals(after)) return Buffer.alloc(0)
  // One character a byte, whatever it encodes.
  const [old, now] = [before.toString('latin1'), after.toString('latin1')]
  const isQuick = before.length > 0 && after.length > 0 && linesIn(before) + linesIn(after) <= mostLines
  const options = { context, timeout: longestMs }
  const patch = isQuick ? structuredPatch('', '', old, now, undefined, undefined, options) : undefined
  return Buffer.from(formatPatch(patch ?? replaced(old, now), OMIT_HEADERS), 'latin1')
}

function linesIn(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count++
  return count
}

const newline = 0x0a

/** All that lies between the lines that are the same at the beginning and at the end, as one hunk. */
function replaced(before: string, after: string) {
  const [old, now] = [linesOf(before), linesOf(after)]
  const most = Math.min(old.length, now.length)
  let head = 0
  while (head < most && old[head] === now[head]) head++
  let tail = 0
  while (tail < most - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail++
  const start = Math.max(0, head - context)
  const more = Math.min(context, tail)
  const lines = [
    ...old.slice(start, head).flatMap(line => marked(' ', line)),
    ...old.slice(head, old.length - tail).flatMap(line => marked('-', line)),
    ...now.slice(head, now.length - tail).flatMap(line => marked('+', line)),
    ...old.slice(old.length - tail, old.length - tail + more).flatMap(line => marked(' ', line)),
  ]
  const hunk = {
    oldStart: start + 1,
    oldLines: old.length - tail + more - start,
    newStart: start + 1,
    newLines: now.length - tail + more - start,
    lines,
  }
  return { oldFileName: '', newFileName: '', oldHeader: undefined, newHeader: undefined, hunks: [hunk] }
}

function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

function marked(mark: string, line: string): string[] {
  return line.endsWith('\n') ? [mark + line.slice(0, -1)] : [mark + line, '\\ No newline at end of file']
}
