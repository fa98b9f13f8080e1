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

/** Of a shim that reads back, and has left no record: what nobody has looked at is not called enforced. */
export function unconfirmed(rows: readonly Enforcement[]): readonly Enforcement[] {
  return rows.map(row =>
    row.status === 'enforced'
      ? { ...row, status: 'weakened', reason: unread, hint: unreadHint, chosen: false }
      : row,
  )
}

const unread = 'it was asked for, and whether it is in force has not been read back: no enforced.json says it'
const unreadHint =
  "shim.log in the task's directory may say why, or /proc hides processes (hidepid); holdfast verify TASK reads what is in force now"

const otherwise = 'the kernel says otherwise: '
const hint = 'somebody else has changed it, or the kernel has rounded it: holdfast verify TASK'

function planned(row: Enforcement): Enforcement {
  const isOurs = row.reason === unread || row.reason?.startsWith(otherwise)
  return isOurs ? { ...row, status: 'enforced' } : row
}
