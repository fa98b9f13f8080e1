import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { map, type Observable } from 'rxjs'
import type { EgressDecision, HistoryEntry } from '../api.ts'
import { readBounded } from './bounded-file.ts'
import { type LogSource, readLog } from './log-stream.ts'
import { type Pull, pull, type Streamed, streamed } from './pulled.ts'

/**
 * Where the shim writes what the forwarder has decided, in the task's directory (docs/native-protocol.md).
 */
export const egressLogName = 'egress.ndjson'
/** The current one, and the one before it. */
export const egressLogFiles = 2
const largestFile = 2 * 1024 * 1024

/**
 * Each decision about a destination, from the first that is kept, live, until the task has ended. The source
 * is asked for when somebody reads.
 */
export function egressStream(source: () => LogSource): Streamed<EgressDecision> {
  return streamed(() => readDecisions(source(), true))
}

/** Each as it comes, as an entry of the task's history: from the first that is kept, or from now on. */
export function egressEntries(source: () => LogSource, fromStart: boolean): Observable<HistoryEntry> {
  return streamed(() => readDecisions(source(), fromStart)).pipe(map(historyEntry))
}

/** What was decided, as entries of the task's history. Empty where there are no rules. */
export function readEgressHistory(dir: string): HistoryEntry[] {
  const names = [`${egressLogName}.1`, egressLogName]
  return names.flatMap(name => decisionsIn(textOf(join(dir, name)))).map(historyEntry)
}

function historyEntry({ at, host, port, allowed }: EgressDecision): HistoryEntry {
  return { sequence: null, at, from: 'running', to: 'running', event: 'EGRESS', host, port, allowed }
}

function textOf(path: string): string {
  try {
    return existsSync(path) ? readBounded(path, largestFile) : ''
  } catch {
    return ''
  }
}

function readDecisions(source: LogSource, fromStart: boolean): Pull<EgressDecision> {
  const bytes = readLog(source, { follow: true, fromStart })
  return pull(decisionsOf(bytes), () => {
    bytes.return?.().catch(() => {})
  })
}

async function* decisionsOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<EgressDecision, void> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of bytes) {
    const text = rest + decoder.write(Buffer.from(chunk))
    const end = text.lastIndexOf('\n') + 1
    rest = text.slice(end)
    yield* decisionsIn(text.slice(0, end))
  }
}

/** Nothing of it is trusted: a line that is none is left out. */
function decisionsIn(text: string): EgressDecision[] {
  return text.split('\n').flatMap(line => {
    try {
      const { at, host, port, allowed } = JSON.parse(line) as Record<string, unknown>
      const time = new Date(Number(at))
      const isOne =
        typeof host === 'string' &&
        Number.isInteger(port) &&
        typeof allowed === 'boolean' &&
        !Number.isNaN(time.getTime())
      return isOne ? [{ at: time, host, port: Number(port), allowed }] : []
    } catch {
      return []
    }
  })
}
