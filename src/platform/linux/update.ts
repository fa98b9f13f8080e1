import type { StartRecord } from '../../../machines/index.ts'
import type { Enforcement, Resources } from '../../api.ts'
import { execLimitRows } from '../exec-rows.ts'
import { withOutputRow } from '../output-limit.ts'
import type { TaskRequest } from '../port.ts'
import { type Row, refuseIfStrict, weakened } from '../rows.ts'
import { changeCgroups } from './cgroup-change.ts'
import type { CgroupPlanner } from './cgroups.ts'

/**
 * Decides first, as a start does, and only then writes anything. Cgroups that the task has not been in are
 * made before others are changed, and entered after: each step that fails undoes those before it.
 */
export function updateLimits(
  { strict, command }: TaskRequest,
  start: StartRecord,
  asked: Resources,
  wanted: Resources,
  planner: CgroupPlanner,
): readonly Enforcement[] {
  const { writes, deferred, rows } = planner.change(start, asked, wanted)
  const enforcement = refuseIfStrict(withOutputRow(rows.map(ofRunning), command), strict)
  const [members = ''] = start.cgroups
  changeCgroups(writes, deferred, members)
  return enforcement
}

/** Of an exec session: in cgroups of its own. What it has none for is its task's. */
export function updateSession(
  { strict, command }: TaskRequest,
  { cgroups }: StartRecord,
  asked: Resources,
  wanted: Resources,
  planner: CgroupPlanner,
): readonly Enforcement[] {
  const { writes, rows } = planner.sessions.change(cgroups, asked, wanted)
  const all = execLimitRows(asked, { rlimits: false, own: rows })
  const enforcement = refuseIfStrict(withOutputRow(all, command), strict)
  changeCgroups(writes)
  return enforcement
}

/**
 * Each process has its rlimits for itself, and passes them on to its children: there is no place where a
 * task's could be changed.
 */
function ofRunning(row: Row): Row {
  if (!row.name.startsWith('rlimits.')) return row
  return weakened(
    row,
    'the processes that run keep theirs; only what exec() runs from now on has it',
    'start the task anew',
  )
}
