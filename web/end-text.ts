import { bytesText, durationText, requestedText, visible } from './text.ts'
import type { Details, EnforcementRow, Row } from './types.ts'

/** How a task ended, in one sentence. */
export function endSentence({ cause, exitCode, startedAt, exitedAt }: Row, details: Details | null): string {
  const signal = details?.end?.signal ?? null
  const how =
    exitCode !== null
      ? `exited with code ${exitCode}`
      : `was ended by ${signal ?? 'a signal'}${details?.end?.coreDumped ? ', dumping core' : ''}`
  const after = startedAt === null || exitedAt === null ? '' : ` after ${durationText(exitedAt - startedAt)}`
  const limit = (name: string): string => {
    const asked = limitText(details?.enforcement ?? [], name)
    return asked === null ? '' : ` of ${asked}`
  }
  switch (cause) {
    case 'exited':
    case 'signaled':
      return `It ${how}${after}.`
    case 'shutdown':
      return `It was stopped as asked, and ${how}${after}.`
    case 'forced':
      return `It was killed with all that it had started${after === '' ? '' : `,${after}`}.`
    case 'oom':
      return `It ran out of memory${after}: the kernel killed it at its limit${memoryLimit(details, ' of ')}.`
    case 'timeout':
      return `Its time${limit('wallTimeMs')} was up, and it ${how}.`
    case 'output':
      return `It gave more output than its limit${limit('outputBytes')}, and ${how}${after}.`
    case 'startFailed':
      return 'It did not start.'
    case 'lost':
      return 'It was lost: it has ended, and nobody knows how.'
    case null:
      return 'It has ended.'
  }
}

/** What stands beside the sentence: names and values. */
export function endFacts({ cause, oomKilled, evidence }: Row, details: Details | null): [string, string][] {
  const { end = null, usage = null } = details ?? {}
  const memoryMatters = cause === 'oom' || oomKilled
  const facts: [string, string | null][] = [
    ['Memory limit', (memoryMatters && memoryLimit(details)) || null],
    ['Peak', memoryMatters ? peakText(details) : null],
    ['Largest process', memoryMatters && usage !== null ? bytesText(usage.maxRssBytes) : null],
    ['Evidence', evidence === 'inferred' ? 'inferred: nobody has written down its end' : null],
    ['Logs', end?.logsComplete === false ? 'may lack some of what it printed' : null],
  ]
  return facts.filter((fact): fact is [string, string] => fact[1] !== null)
}

/** The kernel's own at the end, else what was asked for; empty: none is known. */
function memoryLimit(details: Details | null, before = ''): string {
  const { usage = null, enforcement = [] } = details ?? {}
  const bytes = usage?.memoryLimitBytes ?? null
  const text = bytes === null ? limitText(enforcement, 'memoryBytes') : bytesText(bytes)
  return text === null ? '' : `${before}${text}`
}

/** The kernel's own, else the most that was measured while somebody looked on. */
function peakText(details: Details | null): string | null {
  const counted = details?.usage?.memoryPeakBytes ?? null
  if (counted !== null) return bytesText(counted)
  const measured = details?.end?.memoryPeakBytes
  return measured ? `${bytesText(measured)}, as measured` : null
}

/** Which limits held it up, and how often; empty where none did, or nobody counted. */
export function limitsHitTexts({ end, enforcement }: Details): string[] {
  if (end === null) return []
  const { oomKills, pidsRefused, memoryHigh, throttledMs, egressDenied, logBytesDropped } = end.limitsHit
  const of = (name: string): string => {
    const asked = limitText(enforcement, name)
    return asked === null ? '' : ` (limit: ${asked})`
  }
  return [
    oomKills &&
      `${oomKills === 1 ? 'one process' : `${oomKills} processes`} killed for memory${of('memoryBytes')}`,
    memoryHigh && `${times(memoryHigh)} at the bound of its memory${of('memoryBytes')}`,
    pidsRefused && `${times(pidsRefused)} refused another process${of('pids')}`,
    throttledMs && `kept from the processor for ${durationText(throttledMs)}${of('cpuLimit')}`,
    egressDenied && `${times(egressDenied)} refused a connection`,
    logBytesDropped && `${bytesText(logBytesDropped)} of output not kept`,
  ].filter(text => typeof text === 'string')
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`)

/** Null: no such limit was asked for. */
function limitText(rows: readonly EnforcementRow[], name: string): string | null {
  const row = rows.find(each => each.kind === 'limit' && each.name === name)
  return row === undefined ? null : requestedText(row)
}

export function failureText({ message, hint }: NonNullable<Row['failure']>): string {
  return visible([message, hint].filter(Boolean).join(' — '))
}
