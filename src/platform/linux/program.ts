import { posix } from 'node:path'
import { lookPath } from '../../command/lookup.ts'
import type { MountOp } from '../../spawn/spec.ts'
import { hostPathOf } from './visible-path.ts'

/** The program as the task will see it. A bare name is looked up where its PATH leads inside the new root. Throws START_FAILED. */
export function lookInside(name: string, pathVariable: string, cwd: string, ops: readonly MountOp[]): string {
  if (name.includes('/')) return name
  const places = pathVariable.split(':').flatMap(entry => {
    const inside = posix.resolve(cwd, entry)
    const host = hostPathOf(inside, ops)
    return host === null ? [] : [{ inside, host: posix.resolve(host) }]
  })
  const found = lookPath(name, places.map(({ host }) => host).join(':'))
  const place = places.find(({ host }) => host === posix.dirname(found))
  return posix.join(place?.inside ?? posix.dirname(found), name)
}
