import type { ProcessIdentity } from '../../machines/index.ts'

/** What the spawner says, one line each; `unknown` is anything that is no reply of the protocol. */
export type Reply =
  | { readonly kind: 'ready'; readonly version: string; readonly features: Readonly<Record<string, unknown>> }
  | {
      readonly kind: 'started'
      readonly id: number
      readonly shim: ProcessIdentity
      readonly task: ProcessIdentity
      /** Milliseconds since the epoch. */
      readonly startedAt: number
    }
  | {
      readonly kind: 'failed'
      readonly id: number
      readonly stage: string
      readonly errno: number
      readonly detail: string
    }
  | { readonly kind: 'held' | 'ended' | 'gone'; readonly id: number }
  | { readonly kind: 'unknown'; readonly line: string }

/** Never throws. `line` is without its newline. */
export function parseReply(line: string): Reply {
  return (
    parseStarted(line) ??
    parseBare(line) ??
    parseFailed(line) ??
    parseReady(line) ?? { kind: 'unknown', line }
  )
}

function parseStarted(line: string): Reply | null {
  const match = /^started (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$/.exec(line)
  if (match === null) return null
  const [id = 0, shimPid = 0, shimStart = 0, taskPid = 0, taskStart = 0, startedAt = 0] = match
    .slice(1)
    .map(Number)
  if (!isRequestId(id) || !isPid(shimPid) || !isPid(taskPid)) return null
  if (![shimStart, taskStart, startedAt].every(Number.isSafeInteger)) return null
  return {
    kind: 'started',
    id,
    shim: { pid: shimPid, startTime: shimStart },
    task: { pid: taskPid, startTime: taskStart },
    startedAt,
  }
}

function parseBare(line: string): Reply | null {
  const [, kind, number] = /^(held|ended|gone) (\d+)$/.exec(line) ?? []
  const id = Number(number)
  return (kind === 'held' || kind === 'ended' || kind === 'gone') && isRequestId(id) ? { kind, id } : null
}

function parseFailed(line: string): Reply | null {
  const match = /^failed (\d+) ([a-z-]+) (\d{1,6})(?: (.*))?$/s.exec(line)
  if (match === null) return null
  const [, id, stage = '', errno, detail = ''] = match
  if (!isRequestId(Number(id))) return null
  return { kind: 'failed', id: Number(id), stage, errno: Number(errno), detail: unescapeDetail(detail) }
}

function parseReady(line: string): Reply | null {
  const match = /^ready (\S+) (\{.*\})$/s.exec(line)
  const [, version, json] = match ?? []
  if (version === undefined || json === undefined) return null
  try {
    return { kind: 'ready', version, features: JSON.parse(json) as Record<string, unknown> }
  } catch {
    return null
  }
}

/** `\xNN` is a byte: several in a row may be one character of UTF-8. */
function unescapeDetail(detail: string): string {
  return detail.replace(/(?:\\x[0-9a-fA-F]{2})+/g, run =>
    Buffer.from(run.replaceAll('\\x', ''), 'hex').toString(),
  )
}

const isRequestId = (id: number): boolean => id >= 1 && id <= 0x7fffffff
const isPid = isRequestId

// The protocol's lines are at most 4096 bytes. One that is much longer is no reply, and must not fill the
// memory until it ends.
const longestLine = 65_536
const newline = 10

/** Cuts what the spawner writes into lines, whatever the chunks, and reads each. */
export class ReplyReader {
  #rest: Uint8Array = new Uint8Array()

  push(chunk: Uint8Array | string): Reply[] {
    const added = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    const data = this.#rest.length === 0 ? added : Buffer.concat([this.#rest, added])
    const replies: Reply[] = []
    let start = 0
    for (let end = data.indexOf(newline); end !== -1; end = data.indexOf(newline, start)) {
      replies.push(parseLine(data.subarray(start, end)))
      start = end + 1
    }
    // A copy, and no more of it than shows that it is too long: the chunk is the stream's.
    this.#rest = Uint8Array.prototype.slice.call(data, start, start + longestLine + 1)
    return replies
  }
}

function parseLine(bytes: Uint8Array): Reply {
  if (bytes.length > longestLine) return { kind: 'unknown', line: textOf(bytes.subarray(0, 200)) }
  return parseReply(textOf(bytes))
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}
