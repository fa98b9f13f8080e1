import { dirname } from 'node:path'
import type { DiskBound, TaskRequest } from '../port.ts'
import { hasOverlay } from '../overlay-place.ts'
import { asDefault, type Row, skipped, weakened } from '../rows.ts'
import { baseOf } from '../streams.ts'
import {
  type Denial,
  type DiskFinding,
  type DiskTrials,
  findDiskWay,
  type PowerOf,
  unfitForProject,
  type Walls,
} from './disk-way.ts'
import { isItsAlone } from './shared-alloc.ts'

type Asked = Pick<TaskRequest, 'alloc' | 'bounded' | 'command' | 'key' | 'preferred' | 'resources'>

/**
 * `bound`: how the allocation is kept to its bytes; null: it is not. `inMemory`: what the task can write of
 * it is in memory instead.
 */
export type DiskPlan = {
  readonly rows: readonly Row[]
  readonly bound: DiskBound | null
  readonly inMemory: boolean
}

/**
 * How `diskBytes` is kept to: the allocation becomes a project of its file system, or a file system of that
 * size. Tried on this host before it is said. `dir` is the task's record directory, where the file will lie
 * that the file system is in. `trials`: others than this host's, for tests.
 */
export async function planDisk(
  rows: readonly Row[],
  asked: Asked,
  dir: string,
  access: PowerOf,
  walls: Walls,
  trials?: DiskTrials,
): Promise<DiskPlan> {
  const { bounded = false, preferred = [], resources } = asked
  const bytes = resources?.diskBytes ?? null
  if (bytes === null) return { rows, bound: null, inMemory: bounded }
  const found = await wayOf(asked, dir, access, walls, trials)
  const denial = 'reason' in found ? found : null
  const isDefault = preferred.includes('diskBytes')
  const decide = (row: Row): Row => {
    if (denial !== null && bounded && isDefault) return inMemoryRow(row, denial, asked)
    const decided = rowOf(row, denial, asked)
    return isDefault && decided.status !== 'enforced' ? asDefault(decided) : decided
  }
  return {
    rows: rows.map(row => (row.name === 'diskBytes' ? decide(row) : row)),
    bound: 'way' in found ? { way: found.way, bytes } : null,
    inMemory: bounded && denial !== null,
  }
}

/** What a task changes in an overlay is to be kept, and no memory keeps it. */
function inMemoryRow(row: Row, { reason, hint }: Denial, { command }: Asked): Row {
  if (hasOverlay({ command }))
    return skipped(
      row,
      `what it changes in its workspace would have no bound: ${reason}`,
      `${hint}; leave the overlay out; or take the limit away: --disk max (diskBytes: Infinity)`,
    )
  return asDefault(weakened(row, `${reason}: /local and /alloc are in memory, of a bounded size`, hint))
}

async function wayOf(
  asked: Asked,
  dir: string,
  access: PowerOf,
  walls: Walls,
  trials: DiskTrials | undefined,
): Promise<DiskFinding> {
  // What is the caller's stays in the caller's account and file system, where he finds it when the task is
  // gone.
  if (access.right === 'root' && !isItsAlone(asked.alloc, asked.key, dir))
    return {
      reason: "the allocation is the caller's, and stays in the file system that it is in",
      hint: 'leave configureTaskDir() out: the task then gets an allocation of its own',
    }
  const places = { allocs: dirname(asked.alloc.root), state: dirname(dirname(dir)) }
  return findDiskWay(places, access, unfitForProject(asked, walls), trials)
}

function rowOf(row: Row, denial: Denial | null, { alloc, command }: Asked): Row {
  if (denial !== null) return skipped(row, denial.reason, denial.hint)
  const elsewhere = (['stdout', 'stderr'] as const).filter(stream => {
    const place = command[stream]
    return place !== undefined && place !== 'null' && baseOf(place, alloc) === null
  })
  return elsewhere.length === 0
    ? row
    : weakened(row, `${elsewhere.join(' and ')} lie elsewhere, and are not counted`, 'leave them out')
}
