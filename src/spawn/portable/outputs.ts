import type { ChildProcess } from 'node:child_process'
import { closeSync, fstatSync, lstatSync, renameSync, rmSync } from 'node:fs'
import { devNull } from 'node:os'
import { join } from 'node:path'
import type { FileTarget, LaunchSpec } from '../spec.ts'
import { makeFifos } from '../fifos.ts'
import { openLog } from './log-file.ts'
import { LogPipe } from './log-pipe.ts'
import type { ExternalDescriptors } from './opening.ts'
import { OutputIndexWriter } from './output-index.ts'
import { RotatedLog } from './rotated-log.ts'

/** What the task gets as descriptors 1 and 2: files, or pipes to them where this process writes them. */
export class Outputs {
  readonly descriptors: readonly (number | 'pipe')[]
  readonly #pipes: LogPipe[] = []
  readonly #spec: LaunchSpec
  readonly #external: ExternalDescriptors
  readonly #index: OutputIndexWriter | null

  constructor(spec: LaunchSpec, external: ExternalDescriptors) {
    this.#spec = spec
    this.#external = external
    this.#index = spec.logRotation === null ? null : new OutputIndexWriter(spec.dir, spec.logRotation)
    this.descriptors = [this.#open(0), this.#open(1)]
  }

  /**
   * After the task's end. True when all that it has written is in its logs; who else holds a pipe gets so
   * much time.
   */
  async drained(waitMs: number): Promise<boolean> {
    const whole = await Promise.all(this.#pipes.map(pipe => pipe.drained(waitMs)))
    return !whole.includes(false)
  }

  /** Before anything else can have come: who counts what the task gives. */
  count(onBytes: (count: number) => void): void {
    for (const pipe of this.#pipes) pipe.onBytes = onBytes
  }

  /** Bytes that the task has given and that are not in its logs; null where it writes one of them itself. */
  dropped(): number | null {
    const carried = this.#pipes.reduce((count, { streams }) => count + streams, 0)
    return carried < 2 ? null : this.#pipes.reduce((sum, { dropped }) => sum + dropped, 0)
  }

  /** The task is there: what spawn has made for it is read. */
  attach(child: Pick<ChildProcess, 'stdout' | 'stderr'>): void {
    for (const pipe of this.#pipes) pipe.attach(child)
  }

  /**
   * What is no file is the task's to write: where its output is bounded, that must not be left out without a
   * word.
   */
  #uncounted(fd: number, path: string): number {
    if (this.#spec.outputBytes === null || path === devNull) return fd
    closeSync(fd)
    throw new Error(`${path}: it is no file, and what is written there cannot be counted for outputBytes`)
  }

  #open(index: 0 | 1): number | 'pipe' {
    const { stdout, stderr, credentials, logRotation, plainLogs = [], dir } = this.#spec
    const target = index === 0 ? stdout : stderr
    const path = pathOf(target)
    const plain =
      logRotation === null || path.startsWith('fd:') || plainLogs.includes(index === 0 ? 'stdout' : 'stderr')
    if (plain) return openLog(target, credentials, this.#external)
    const [first] = this.#pipes
    // Both in one file: two that rotate it would be one too many.
    if (index === 1 && first !== undefined && path === pathOf(stdout)) return first.join()
    if (target.base !== null) makeRoom(path)
    // Not the task's own: only we write it.
    const fd = openLog(target, null, this.#external)
    if (!fstatSync(fd).isFile()) return this.#uncounted(fd, path)
    const log = new RotatedLog(fd, path, logRotation, this.#index, index)
    const stream = index === 0 ? 'stdout' : 'stderr'
    const pipe = new LogPipe(madeFifo(`${dir}/log-${index}.tmp`), { log, stream, credentials })
    this.#pipes.push(pipe)
    return pipe.end
  }
}

/** Null: there are none. */
function madeFifo(path: string): string | null {
  if (process.platform === 'win32') return null
  makeFifos(path)
  return path
}

const pathOf = ({ base, path }: FileTarget): string => (base === null ? path : join(base, path))

/**
 * Whatever a neighbour has put where our log is to be must not keep the task from starting, and is never
 * written to.
 */
function makeRoom(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  // Windows has no such owner, and modes that say nothing: every file may be written by all.
  const isPosix = process.geteuid !== undefined
  const ours = !isPosix || found.uid === process.geteuid?.()
  if (found.isFile() && found.nlink === 1 && ours && (!isPosix || (found.mode & 0o022) === 0)) return
  if (found.isFIFO() && ours && (found.mode & 0o077) === 0) return
  try {
    renameSync(path, `${path}.planted`)
  } catch {
    rmSync(path, { recursive: false, force: true })
  }
}
