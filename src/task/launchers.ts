import type { ProcessIdentity } from '../../machines/index.ts'
import { identify } from '../spawn/process-table.ts'

/** This process and its spawner, for the records. Looked up once each: an identity does not change. */
export function launchers(spawnerPid: number | null): readonly ProcessIdentity[] {
  if (known?.spawnerPid !== spawnerPid) {
    const identities = [process.pid, ...(spawnerPid === null ? [] : [spawnerPid])].map(identify)
    known = { spawnerPid, identities: identities.filter(identity => identity !== null) }
  }
  return known.identities
}

let known: { spawnerPid: number | null; identities: readonly ProcessIdentity[] } | undefined
