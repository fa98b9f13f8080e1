import type { Enforcement } from '../../api.ts'
import type { ToVerify } from '../port.ts'
import { type Finding, judged, unread, unverifiable } from './finding.ts'

const words = { project: 'a project', image: 'a file system of its own' } as const

/**
 * A file system has less room than its file is large. What is mounted where the supervisor of the task lives
 * may not be seen by whoever asks.
 */
export function diskRow(
  { status }: Pick<Enforcement, 'status'>,
  wanted: number | undefined,
  disk: ToVerify['disk'],
): Finding {
  if (disk === undefined || wanted === undefined) return unverifiable
  if (disk === null)
    return status === 'enforced' ? unread('what bounds it is not seen from here') : unverifiable
  return judged(disk.bytes <= wanted, `${words[disk.way]} of ${disk.bytes} bytes`)
}
