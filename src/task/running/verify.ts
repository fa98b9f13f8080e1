import { askedOfKernel, type AskedOfKernel } from '../../../machines/index.ts'
import type { Verification, VerifiedRow } from '../../api.ts'
import { HoldfastError } from '../../errors.ts'
import type { TaskParts } from '../effects/task-parts.ts'
import { shimLives } from '../shim-life.ts'
import type { RunningLimits } from './limits.ts'

/** What was asked for a task, beside what is in force. Throws LOST, STATE_CORRUPT, INVALID_STATE. */
export function verify(
  { dir, file, planner, records }: Pick<TaskParts, 'dir' | 'file' | 'planner' | 'records'>,
  limits: RunningLimits,
): Verification {
  const { enforcement, resources } = limits.current
  const { request } = file.spec
  const start = records.require()
  const rows = shimLives(dir, start)
    ? planner.inForce({
        start,
        asked: believed(file.spec.asked ?? null, dir),
        rows: enforcement,
        resources: resources ?? {},
        inside: request.inside?.start ?? null,
      })
    : null
  if (rows !== null) return { verdict: worstOf(rows), live: true, rows }
  const unread = enforcement.map((row): VerifiedRow => ({ ...row, verdict: 'unread', inForce: ended }))
  return { verdict: 'unread', live: false, rows: unread }
}

const ended = 'the task has ended'

function believed(asked: AskedOfKernel | null, dir: string): AskedOfKernel | null {
  const fault = asked === null ? null : askedOfKernel.fault(asked)
  if (fault === null) return asked
  throw new HoldfastError('STATE_CORRUPT', `${dir}/task.json cannot be used: spec.asked.${fault}`, {
    path: dir,
  })
}

function worstOf(rows: readonly VerifiedRow[]): Verification['verdict'] {
  const has = (verdict: VerifiedRow['verdict']): boolean => rows.some(row => row.verdict === verdict)
  return has('differs') ? 'differs' : has('unread') ? 'unread' : 'holds'
}
