import { posix } from 'node:path'
import type { MountOp } from '../../spawn/spec.ts'

/** Where a path of the task lies on the host; null when the task's root has nothing of the host's there. */
export function hostPathOf(path: string, ops: readonly MountOp[], depth = 0): string | null {
  const wanted = posix.normalize(path)
  if (ops.length === 0) return wanted
  if (depth > 8) return null
  const op = ops.findLast(({ at }) => wanted === at || wanted.startsWith(`${at}/`))
  if (!op) return null
  const rest = wanted.slice(op.at.length)
  if (op.op === 'bind') return op.source + rest
  if (op.op === 'symlink')
    return hostPathOf(posix.resolve(posix.dirname(op.at), op.to) + rest, ops, depth + 1)
  return null
}
