import type { AskedOfKernel } from '../../../machines/index.ts'
import type { RlimitName } from '../../api.ts'
import { type Finding, judged, unread, unverifiable } from './finding.ts'

/** What getrlimit(2) calls them, and /proc/PID/limits. */
const lines: Readonly<Record<string, string>> = {
  cpu: 'Max cpu time',
  fsize: 'Max file size',
  data: 'Max data size',
  stack: 'Max stack size',
  core: 'Max core file size',
  rss: 'Max resident set',
  nproc: 'Max processes',
  nofile: 'Max open files',
  memlock: 'Max locked memory',
  as: 'Max address space',
  locks: 'Max file locks',
  sigpending: 'Max pending signals',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
} satisfies Readonly<Record<RlimitName, string>>

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
