import type { Verification, VerifiedRow } from '../../api.ts'
import type { TaskParts } from '../effects/task-parts.ts'
import { diskInForce } from '../disk/in-force.ts'
import { readAtStart, toVerify } from '../read-back.ts'
import { shimLives } from '../shim-life.ts'
import type { RunningLimits } from './limits.ts'

/**
 * What was asked for a task, beside what was in force at its start and what is now. Throws LOST,
 * STATE_CORRUPT, INVALID_STATE.
 */
export function verify(
  task: Pick<TaskParts, 'dir' | 'file' | 'planner' | 'records'>,
  limits: RunningLimits,
): Verification {
  const { dir, file, planner, records } = task
  const { enforcement, resources } = limits.current
  const start = records.require()
  const asked = toVerify(task, enforcement, resources)
  const { alloc } = file.spec.request
  const present = shimLives(dir, start)
    ? planner.inForce({ ...asked, disk: diskInForce(dir, alloc.root) })
    : null
  const atStart = atStartOf(task)
  const rows = enforcement.map((row, index): VerifiedRow => {
    const then = file.spec.enforcement.some(same => isSame(same, row))
      ? (atStart.get(row.name) ?? null)
      : null
    const { verdict, inForce } = present?.[index] ?? then ?? ended
    return { ...row, verdict, inForce, atStart: then }
  })
  return { verdict: worstOf(rows), live: present !== null, rows }
}

type Then = NonNullable<VerifiedRow['atStart']>

function atStartOf(task: Parameters<typeof readAtStart>[0]): ReadonlyMap<string, Then> {
  const rows = readAtStart(task) ?? []
  return new Map(rows.map(({ name, verdict, inForce }) => [name, { verdict, inForce }]))
}

/** An update has left it as it was. */
function isSame(one: Pick<VerifiedRow, 'name' | 'requested'>, two: typeof one): boolean {
  return one.name === two.name && one.requested === two.requested
}

const ended: Then = { verdict: 'unread', inForce: 'the task has ended' }

function worstOf(rows: readonly VerifiedRow[]): Verification['verdict'] {
  const has = (verdict: VerifiedRow['verdict']): boolean => rows.some(row => row.verdict === verdict)
  if (has('differs') || rows.some(({ atStart }) => atStart?.verdict === 'differs')) return 'differs'
  return has('unread') ? 'unread' : 'holds'
}
