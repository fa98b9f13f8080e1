import { dirname } from 'node:path'
import { nativeHint } from '../../spawn/native-hint.ts'
import { nativeProgram } from '../../spawn/native-program.ts'
import { type DiskRefusal, tryDisk } from '../../spawn/disk.ts'
import type { TaskRequest } from '../port.ts'
import { hasOverlay } from '../overlay-place.ts'
import { asDefault, type Row, skipped, weakened } from '../rows.ts'
import { baseOf } from '../streams.ts'
import { type Access, powerHint } from './access.ts'
import { isItsAlone } from './shared-alloc.ts'

type PowerOf = Pick<Access, 'right' | 'self'>

type Asked = Pick<TaskRequest, 'alloc' | 'bounded' | 'command' | 'key' | 'preferred' | 'resources'>

/**
 * `bytes`: of the file system that the allocation becomes; null: it stays where it is. `inMemory`: what the
 * task can write of it is in memory instead.
 */
export type DiskPlan = {
  readonly rows: readonly Row[]
  readonly bytes: number | null
  readonly inMemory: boolean
}

/**
 * How `diskBytes` is kept to: the allocation becomes a file system of that size. Tried on this host before it
 * is said. `dir` is the task's record directory, where the file will lie that the file system is in.
 */
export async function planDisk(
  rows: readonly Row[],
  asked: Asked,
  dir: string,
  access: PowerOf,
): Promise<DiskPlan> {
  const { bounded = false, preferred = [], resources } = asked
  const bytes = resources?.diskBytes ?? null
  if (bytes === null) return { rows, bytes, inMemory: bounded }
  const denial = await denialOf(asked, dir, access)
  const isDefault = preferred.includes('diskBytes')
  const decide = (row: Row): Row => {
    if (denial !== null && bounded && isDefault) return inMemoryRow(row, denial, asked)
    const decided = rowOf(row, denial, asked)
    return isDefault && decided.status !== 'enforced' ? asDefault(decided) : decided
  }
  return {
    rows: rows.map(row => (row.name === 'diskBytes' ? decide(row) : row)),
    bytes: denial === null ? bytes : null,
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

type Denial = { readonly reason: string; readonly hint: string }

async function denialOf(asked: Asked, dir: string, { right, self }: PowerOf): Promise<Denial | null> {
  if (right !== 'root')
    return {
      reason: "only root with root's capabilities can mount a file system of a bounded size",
      hint: powerHint(self),
    }
  // What is the caller's stays in the caller's file system, where he finds it when the task is gone.
  if (!isItsAlone(asked.alloc, asked.key, dir))
    return {
      reason: "the allocation is the caller's, and stays in the file system that it is in",
      hint: 'leave configureTaskDir() out: the task then gets an allocation of its own',
    }
  const native = nativeProgram()
  if ('unavailable' in native) return { reason: native.unavailable, hint: nativeHint() }
  const refusal = await tryDisk(native.path, dirname(dirname(dir)))
  return refusal === null ? null : wordsOf(refusal)
}

function wordsOf({ step, errno }: DiskRefusal): Denial {
  const reason = `no file system of its own can be made (${step}: ${errno})`
  return { reason, hint: hints[step] ?? 'put the state directory (--state-dir) on a file system of a disk' }
}

const hints: Readonly<Record<string, string>> = {
  'mkfs.ext4': 'install mkfs.ext4 (e2fsprogs)',
  loop: 'this host needs /dev/loop-control and loop devices: modprobe loop',
  mount: 'this kernel needs ext4: modprobe ext4',
  namespace: 'run as root (sudo)',
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
