import { dirname } from 'node:path'
import type { Enforcement, Resources } from '../api.ts'
import type { ReadRow, ToVerify } from '../platform/port.ts'
import { readEnforced } from '../spawn/records.ts'
import { believedAsked } from './believed-asked.ts'
import type { TaskParts } from './effects/task-parts.ts'

type Parts = Pick<TaskParts, 'dir' | 'file' | 'planner' | 'records'>

/** The task as its rows are compared with the kernel's words. Throws LOST, STATE_CORRUPT. */
export function toVerify(
  { dir, file, records }: Parts,
  rows: readonly Enforcement[],
  resources: Resources | null,
): ToVerify {
  const { asked = null, request } = file.spec
  const inside = request.inside ?? null
  return {
    start: records.require(),
    asked: believedAsked(asked, dir),
    rows,
    resources: resources ?? {},
    inside: inside && { start: inside.start, enforced: readEnforced(dirname(inside.alive)) },
  }
}

/**
 * What the shim has read back before the program ran, for the rows of the start. Null: it has read nothing,
 * or what it has written cannot be believed. Throws as toVerify().
 */
export function readAtStart(task: Parts): readonly ReadRow[] | null {
  const record = readEnforced(task.dir)
  if (record === null) return null
  const { enforcement, request } = task.file.spec
  return task.planner.recorded(toVerify(task, enforcement.map(planned), request.resources), record)
}

/** Rows as they were decided, with those weakened of which something else was read. */
export function confirmed(rows: readonly ReadRow[]): readonly Enforcement[] {
  return rows.map(({ verdict, inForce, ...row }) =>
    verdict === 'differs' && row.status === 'enforced'
      ? { ...row, status: 'weakened', reason: `${otherwise}${inForce ?? 'nothing'}`, hint, chosen: false }
      : row,
  )
}

const otherwise = 'the kernel says otherwise: '
const hint = 'somebody else has changed it, or the kernel has rounded it: holdfast verify TASK'

function planned(row: Enforcement): Enforcement {
  return row.reason?.startsWith(otherwise) ? { ...row, status: 'enforced' } : row
}
