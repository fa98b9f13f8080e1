import { formatPatch, OMIT_HEADERS, structuredPatch } from 'diff'
import { replacement } from './replacement.ts'

/**
 * The task chooses what is compared, and the caller's program stands still meanwhile: what takes longer, or
 * has more lines, is shown as replaced, which is as true.
 */
const maxMs = 100
const maxLinesCompared = 50_000

/**
 * The hunks of a unified diff, byte for byte; empty where both are the same. What is the same at the
 * beginning and at the end is never shown as changed.
 */
export function unifiedDiff(before: Buffer, after: Buffer, maxLines = maxLinesCompared): Buffer {
  if (before.equals(after)) return Buffer.alloc(0)
  const isQuick = before.length > 0 && after.length > 0 && linesIn(before) + linesIn(after) <= maxLines
  if (!isQuick) return replacement(before, after)
  // One character a byte, whatever it encodes.
  const [old, now] = [before.toString('latin1'), after.toString('latin1')]
  const patch = structuredPatch('', '', old, now, undefined, undefined, { context: 3, timeout: maxMs })
  if (patch === undefined) return replacement(before, after)
  return Buffer.from(formatPatch(patch, OMIT_HEADERS), 'latin1')
}

function linesIn(bytes: Buffer): number {
  let count = 1
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count++
  return count
}

const newline = 0x0a
