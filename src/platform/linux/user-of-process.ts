import type { ProcessIdentity } from '../../../machines/index.ts'
import { readText } from '../../if-there.ts'
import { isAlive } from '../../spawn/process-table.ts'

/** The uid and gid that a process runs as; null: it is gone. */
export function userOfProcess(
  process: ProcessIdentity,
): { readonly uid: number; readonly gid: number } | null {
  const status = readText(`/proc/${process.pid}/status`, 'latin1')
  const [uid, gid] = ['Uid', 'Gid'].map(
    name => new RegExp(`^${name}:\\t\\d+\\t(\\d+)`, 'm').exec(status)?.[1],
  )
  // Asked last: what was read is that very process's.
  if (uid === undefined || gid === undefined || !isAlive(process)) return null
  return { uid: Number(uid), gid: Number(gid) }
}
