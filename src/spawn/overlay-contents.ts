import { errnoName } from '../errno-name.ts'
import { ByteReader } from './byte-reader.ts'
import { entryOf, type OverlayEntry, type OverlayFailure } from './overlay.ts'
import { startProcess } from './start-process.ts'

/** What is in an entry's place, in the overlay or on the host. */
export type OverlaySide = {
  /** File, directory, link, something else, or nothing. */
  readonly type: 'f' | 'd' | 'l' | 'o' | '-'
  readonly mode: number
  readonly size: number
  readonly state: 'whole' | 'large' | 'unreadable'
  /** Of a file what is in it, of a link what it says; empty where the state says so. */
  readonly bytes: Buffer
}

export type OverlayContents = {
  readonly entry: OverlayEntry
  readonly before: OverlaySide
  readonly after: OverlaySide
}

export type ContentsAsked = {
  /** Bytes of one file at most. */
  readonly maxFileBytes: number
  /** These and what lies in them; none: all. */
  readonly paths: readonly string[]
}

/**
 * What an overlay's directory has changed, with what is in each file on both sides; of what goes with a
 * directory each entry is told. One at a time, as fast as they are taken. The last one may be a failure.
 */
export async function* overlayContents(
  program: string,
  directory: string,
  workspace: string,
  { maxFileBytes, paths }: ContentsAsked,
): AsyncGenerator<OverlayContents | OverlayFailure, void> {
  const args = ['overlay', 'contents', directory, workspace, String(maxFileBytes), ...paths]
  const child = startProcess(program, args, { stdio: ['ignore', 'pipe', 'ignore'], env: {}, cwd: '/' })
  try {
    if (child.stdout === null) yield broken
    else yield* records(new ByteReader(child.stdout))
  } finally {
    child.kill('SIGKILL')
  }
}

const broken: OverlayFailure = { step: 'overlay', errno: 'EIO', path: '' }

async function* records(reader: ByteReader): AsyncGenerator<OverlayContents | OverlayFailure, void> {
  let failure: OverlayFailure | null = null
  for (;;) {
    const head = await reader.field()
    const path = await reader.field()
    const more = await reader.field()
    if (head === null || path === null || more === null) {
      yield failure ?? broken
      return
    }
    const [what = '', ...numbers] = head.toString().split(' ')
    if (what === '=') {
      if (failure !== null) yield failure
      return
    }
    if (what === '!') {
      failure = { step: more.toString(), errno: errnoName(Number(numbers[0])), path: path.toString() }
      continue
    }
    const before = await side(reader)
    const after = await side(reader)
    if (before === null || after === null) {
      yield broken
      return
    }
    yield { entry: entryOf(what, numbers, path, more), before, after }
  }
}

async function side(reader: ByteReader): Promise<OverlaySide | null> {
  const [type, mode = '', size, state = '', count] = (await reader.field())?.toString().split(' ') ?? []
  const bytes = await reader.bytes(Number(count ?? 0))
  if (bytes === null || type === undefined) return null
  return {
    type: type as OverlaySide['type'],
    mode: Number.parseInt(mode, 8),
    size: Number(size),
    state: states[state] ?? 'unreadable',
    bytes,
  }
}

const states: Readonly<Record<string, OverlaySide['state']>> = { '=': 'whole', '>': 'large' }
