import { realpathSync } from 'node:fs'
import { devNull } from 'node:os'
import { join } from 'node:path'
import type { LaunchSpec } from '../../spawn/spec.ts'

/**
 * Where a task can leave files of its own user that do not go with its records and its own `allocation`: what
 * is mounted writable, and logs of the caller's. What is mapped belongs to somebody else on the host.
 */
export function placesOf(
  spec: Pick<LaunchSpec, 'root' | 'stdout' | 'stderr'>,
  allocation: string,
): readonly string[] {
  const mounted = spec.root.flatMap(op => {
    // What an overlay has taken may be put in place there.
    const isWritable = op.op === 'overlay' || (op.op === 'bind' && !op.readOnly && !op.devices)
    return isWritable && op.map === undefined ? [op.source] : []
  })
  const logs = [spec.stdout, spec.stderr].map(({ base, path }) => (base === null ? path : join(base, path)))
  const shared = [...mounted, ...logs].filter(
    path => path.startsWith('/') && path !== devNull && !path.startsWith(`${allocation}/`),
  )
  return [...new Set(shared.map(real))]
}

/** A log that is not there yet is made where its name says. */
function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
