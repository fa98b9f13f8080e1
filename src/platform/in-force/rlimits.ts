import type { AskedOfKernel } from '../../../machines/index.ts'
import { rlimitLines } from '../../command/rlimits.ts'
import { type Finding, judged, unread, unverifiable } from './finding.ts'

const lines: Readonly<Record<string, string>> = rlimitLines

/**
 * Of the leader, by /proc/PID/limits. A process may raise its soft limit up to the hard one, which is the
 * limit.
 */
export function rlimitInForce(name: string, asked: AskedOfKernel['rlimits'], limits: string | null): Finding {
  const wanted = asked.find(rlimit => rlimit.name === name)
  const line = lines[name]
  if (wanted === undefined || line === undefined) return unverifiable
  if (limits === null) return unread('whoever asks may not read it')
  const found = new RegExp(`^${line} +(unlimited|\\d+) +(unlimited|\\d+)`, 'm').exec(limits)
  if (found === null) return unread('this kernel does not say it')
  const [, soft = '', hard = ''] = found
  return judged(bound(hard) <= bound(String(wanted.hard)), `${soft}:${hard}`)
}

function bound(text: string): number {
  return text === 'unlimited' || text === '-1' ? Number.POSITIVE_INFINITY : Number(text)
}
