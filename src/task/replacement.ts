/** Lines of it before and after. */
const context = 3
const newline = 0x0a

/**
 * One hunk of a unified diff: all that lies between the lines that are the same at the beginning and at the
 * end is taken away, and what is there now put in its place. Takes a few passes over the bytes, whatever they
 * are.
 */
export function replacement(before: Buffer, after: Buffer): Buffer {
  const head = sameLines(before, after)
  const tail = sameEnd(before, after, head)
  const [oldEnd, newEnd] = [before.length - tail, after.length - tail]
  const start = linesBack(before, head)
  const end = linesOn(before, oldEnd)
  const around = linesOf(before, start, head) + linesOf(before, oldEnd, end)
  const line = linesOf(before, 0, start) + 1
  const [old, now] = [linesOf(before, head, oldEnd), linesOf(after, head, newEnd)].map(
    count => `${around + count === 0 ? line - 1 : line},${around + count}`,
  )
  return Buffer.concat([
    Buffer.from(`@@ -${old} +${now} @@\n`),
    marked(' ', before.subarray(start, head)),
    marked('-', before.subarray(head, oldEnd)),
    marked('+', after.subarray(head, newEnd)),
    marked(' ', before.subarray(oldEnd, end)),
  ])
}

/** How many bytes of whole lines both begin with. */
function sameLines(before: Buffer, after: Buffer): number {
  const max = Math.min(before.length, after.length)
  let at = 0
  while (at < max && before[at] === after[at]) at++
  return at === 0 ? 0 : before.lastIndexOf(newline, at - 1) + 1
}

/** How many bytes of whole lines both end with, beyond those that they begin with. */
function sameEnd(before: Buffer, after: Buffer, head: number): number {
  const max = Math.min(before.length, after.length) - head
  let same = 0
  while (same < max && before[before.length - 1 - same] === after[after.length - 1 - same]) same++
  const beginsLine = (bytes: Buffer): boolean => {
    const at = bytes.length - same
    return at === head || bytes[at - 1] === newline
  }
  if (beginsLine(before) && beginsLine(after)) return same
  const next = before.indexOf(newline, before.length - same)
  return next < 0 || same === 0 ? 0 : before.length - next - 1
}

function linesBack(bytes: Buffer, from: number): number {
  let at = from
  for (let line = 0; line < context && at > 0; line++)
    at = at < 2 ? 0 : bytes.lastIndexOf(newline, at - 2) + 1
  return at
}

function linesOn(bytes: Buffer, from: number): number {
  let at = from
  for (let line = 0; line < context && at < bytes.length; line++) {
    const next = bytes.indexOf(newline, at)
    at = next < 0 ? bytes.length : next + 1
  }
  return at
}

function linesOf(bytes: Buffer, from: number, to: number): number {
  let count = 0
  for (let at = from; at < to; at++) if (bytes[at] === newline) count++
  return count + (to > from && bytes[to - 1] !== newline ? 1 : 0)
}

const noNewline = Buffer.from('\n\\ No newline at end of file\n')

function marked(mark: ' ' | '-' | '+', lines: Buffer): Buffer {
  if (lines.length === 0) return lines
  const bytes = Buffer.allocUnsafe(lines.length + linesOf(lines, 0, lines.length))
  const code = mark.charCodeAt(0)
  let to = 0
  for (let at = 0; at < lines.length; at++) {
    if (at === 0 || lines[at - 1] === newline) bytes[to++] = code
    bytes[to++] = lines[at] ?? 0
  }
  return lines.at(-1) === newline ? bytes : Buffer.concat([bytes, noNewline])
}
