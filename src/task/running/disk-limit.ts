import type { Enforcement, Resources } from '../../api.ts'
import { HoldfastError } from '../../errors.ts'
import type { TaskParts } from '../effects/task-parts.ts'

/**
 * Gives a running task more room on the disk, before its other limits are changed: it alone cannot be taken
 * back. The row that it has from now on; null: nothing was asked for, or there is nothing to be changed, of
 * what `exec()` started or of the Basic executor. Rejects as changeAllocation() does.
 */
export async function changedDisk(
  { dir, file }: Pick<TaskParts, 'dir' | 'file'>,
  rows: readonly Enforcement[],
  { diskBytes }: Resources,
): Promise<Enforcement | null> {
  const { alloc, inside, platform } = file.spec.request
  if (diskBytes === undefined || platform === 'basic' || inside) return null
  const { changeAllocation } = await import('../disk/confine.ts')
  await changeAllocation(dir, alloc.root, diskBytes)
  const row = rows.find(({ name }) => name === 'diskBytes')
  return row === undefined ? null : { ...row, requested: `${diskBytes}` }
}

/** What is less than asked for of it is so of a larger one. */
export function withRow(rows: readonly Enforcement[], row: Enforcement): readonly Enforcement[] {
  return rows.map(other => (other.name === row.name ? row : other))
}

/** A refusal of the other limits says what has been changed by then. */
export function withDisk(disk: Enforcement | null): (error: unknown) => never {
  return error => {
    if (disk === null || !(error instanceof HoldfastError)) throw error
    const { code, message, stage, errno, path, hint } = error
    const all = `${message}; diskBytes is ${disk.requested} already`
    throw new HoldfastError(code, all, { stage, errno, path, hint, cause: error })
  }
}
