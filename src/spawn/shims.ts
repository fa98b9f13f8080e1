import type { ProcessIdentity } from '../../machines/index.ts'
import { readLink, readNames, readText } from '../if-there.ts'
import { identify } from './process-table.ts'

/** A shim that is at work, known by what it holds open and not by any record. */
export type WorkingShim = {
  readonly shim: ProcessIdentity
  /** The directory of its task, where that is or was. */
  readonly dir: string
  readonly key: string
  /** The directory has been deleted under it. */
  readonly deleted: boolean
}

/**
 * Of all state directories. Those of other users, and an ordinary user's own, show nobody but root what they
 * hold.
 */
export function workingShims(proc = '/proc'): WorkingShim[] {
  return readNames(proc)
    .filter(name => /^\d+$/.test(name) && readText(`${proc}/${name}/comm`, 'latin1') === 'holdfast-shim\n')
    .flatMap(name => workOf(proc, Number(name)) ?? [])
}

function workOf(proc: string, pid: number): WorkingShim | null {
  const shim = identify(pid)
  if (shim === null) return null
  for (const fd of readNames(`${proc}/${pid}/fd`)) {
    const [, dir, key, deleted] =
      /^(\/.*\/tasks\/([0-9a-z]{14}))( \(deleted\))?$/.exec(readLink(`${proc}/${pid}/fd/${fd}`)) ?? []
    if (dir !== undefined && key !== undefined) return { shim, dir, key, deleted: deleted !== undefined }
  }
  return null
}
