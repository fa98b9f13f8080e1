import { once } from 'node:events'
import { errnoName } from '../errno-name.ts'
import { startProcess } from './start-process.ts'

/** An entry of an overlay that differs from the host's directory, as the native program tells of it. */
export type OverlayEntry = {
  readonly kind: 'A' | 'M' | 'D'
  /** File, directory, link, or something that is never put in place. */
  readonly type: 'f' | 'd' | 'l' | 'o'
  /** Somebody has changed the host's since the task began. */
  readonly conflict: boolean
  readonly mode: number
  readonly size: number
  readonly path: Buffer
  /** What a link says. */
  readonly link: Buffer
}

export type OverlayFailure = { readonly step: string; readonly errno: string; readonly path: string }

/** `done`: told, or put in place. Otherwise nothing was, or `failure` says at what it stopped. */
export type OverlayAnswer = {
  readonly done: boolean
  readonly entries: readonly OverlayEntry[]
  readonly failure: OverlayFailure | null
}

/** What an overlay's directory has changed, compared with the host's; nothing is touched. */
export function overlayChanges(program: string, directory: string, workspace: string) {
  return ask(program, ['changes', directory, workspace])
}

/** Puts all of it in place, or where the host's has changed meanwhile, nothing, unless forced. */
export function applyOverlay(program: string, directory: string, workspace: string, force: boolean) {
  return ask(program, ['apply', directory, workspace, ...(force ? ['force'] : [])])
}

/** Removes what an apply that was killed has left on its way. */
export function cleanOverlay(program: string, directory: string, workspace: string) {
  return ask(program, ['clean', directory, workspace])
}

/** A task may change as much as it likes, and somebody has to hold it. */
const largestAnswer = 256 * 1024 * 1024

async function ask(program: string, args: readonly string[]): Promise<OverlayAnswer> {
  const child = startProcess(program, ['overlay', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {},
    cwd: '/',
  })
  const pieces: Buffer[] = []
  let size = 0
  child.stdout?.on('data', (bytes: Buffer) => {
    size += bytes.length
    if (size > largestAnswer) child.kill('SIGKILL')
    else pieces.push(bytes)
  })
  // An error on the way has its listener, and is followed by this.
  await once(child, 'close')
  const tooMuch = { step: 'output', errno: 'EFBIG', path: '' }
  return size > largestAnswer ? { done: false, entries: [], failure: tooMuch } : parsed(Buffer.concat(pieces))
}

/** Records of three fields: what it is, of which path, and more. The last one says how it went. */
function parsed(bytes: Buffer): OverlayAnswer {
  const entries: OverlayEntry[] = []
  let failure: OverlayFailure | null = null
  for (const [head, path, more] of records(bytes)) {
    const [what = '', ...numbers] = head.toString().split(' ')
    const first = Number(numbers[0])
    if (what === '=') return { done: first === 0, entries, failure }
    if (what === '!') failure = { step: more.toString(), errno: errnoName(first), path: path.toString() }
    else entries.push(entryOf(what, numbers, path, more))
  }
  return { done: false, entries: [], failure: failure ?? { step: 'overlay', errno: 'EIO', path: '' } }
}

function* records(bytes: Buffer): Generator<readonly [Buffer, Buffer, Buffer]> {
  let at = 0
  const field = (): Buffer => {
    const end = bytes.indexOf(0, at)
    const found = bytes.subarray(at, end < 0 ? bytes.length : end)
    at = end < 0 ? bytes.length : end + 1
    return found
  }
  while (at < bytes.length) yield [field(), field(), field()]
}

/** `word` and its numbers: the first field of a record. */
export function entryOf(
  word: string,
  [mode = '', size = '0']: readonly string[],
  path: Buffer,
  link: Buffer,
): OverlayEntry {
  const [kind, type, conflict] = word
  return {
    kind: kind as OverlayEntry['kind'],
    type: type as OverlayEntry['type'],
    ...{ conflict: conflict === '!', mode: Number.parseInt(mode, 8), size: Number(size), link },
    path: path.at(-1) === slash ? path.subarray(0, -1) : path,
  }
}

const slash = 0x2f
