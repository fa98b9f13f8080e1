import { constants } from 'node:os'
import type { StopRecord } from '../../../machines/index.ts'
import { bootMs } from '../boot-clock.ts'
import type { LaunchSpec } from '../spec.ts'
import type { Tree } from './tree.ts'

/**
 * How a running task is brought to its end: by a line, by its time limit, or because nobody is left whom it
 * belongs to. The first who asks is recorded.
 */
export class Stopping {
  readonly tree: Tree
  readonly #graceMs: number
  /** What is measured is measured by the clock that nobody sets. */
  readonly #startedAt = bootMs()
  #record: StopRecord | null = null
  #wall: NodeJS.Timeout | undefined
  #force: NodeJS.Timeout | undefined
  #outputBytes: number | null
  #gaveBytes = 0
  #forceAt = Number.POSITIVE_INFINITY
  /** The leader is gone: what is asked for now changes nothing, and its number may soon be another's. */
  #isOver = false

  /** Of a task that has just been started. */
  constructor(
    tree: Tree,
    { wallTimeMs, graceMs, outputBytes }: Pick<LaunchSpec, 'wallTimeMs' | 'graceMs' | 'outputBytes'>,
  ) {
    this.tree = tree
    this.#graceMs = graceMs
    this.#outputBytes = outputBytes
    if (wallTimeMs !== null) this.#endAt(this.#startedAt + wallTimeMs)
  }

  /** For the exit record. */
  get record(): StopRecord | null {
    return this.#record
  }

  /** A line of docs/native-protocol.md, "control". What is none is ignored. */
  obey(line: string): void {
    if (this.#isOver) return
    const [, verb, first, second, leader] =
      /^(signal|stop|kill|wall|output)(?: (\d{1,15}))?(?: (\d{1,15}))?( leader)?$/.exec(line) ?? []
    if (leader !== undefined && verb !== 'stop') return
    if (verb === 'signal' && first) this.tree.signal(Number(first))
    if (verb === 'stop' && first && second)
      this.request('shutdown', Number(first), Number(second), leader ? 'leader' : 'group')
    if (verb === 'kill') this.force('force')
    if (verb === 'wall' && first) this.#endAt(this.#startedAt + Number(first))
    if (verb === 'output' && first) this.#boundOutput(Number(first))
  }

  /** A graceful stop, and force when the grace is over. Of a later one only a nearer deadline counts. */
  request(
    reason: StopRecord['reason'],
    signal: number,
    graceMs = this.#graceMs,
    target: 'group' | 'leader' = 'group',
  ): void {
    if (this.#isOver) return
    if (this.#record === null) {
      this.#record = { reason, signal, at: Date.now(), forcedAt: null }
      this.tree.ask(signal, target)
    }
    const at = bootMs() + graceMs
    if (at >= this.#forceAt) return
    this.#forceAt = at
    clearTimeout(this.#force)
    this.#force = setTimeout(() => this.force('force'), Math.min(graceMs, longestTimer))
  }

  force(reason: StopRecord['reason']): void {
    if (this.#isOver) return
    const now = Date.now()
    this.#record = {
      ...(this.#record ?? { reason, signal: constants.signals.SIGKILL, at: now }),
      forcedAt: this.#record?.forcedAt ?? now,
    }
    this.tree.kill()
  }

  /** So many bytes have come from its streams. */
  gave(bytes: number): void {
    this.#gaveBytes += bytes
    if (this.#outputBytes === null || this.#gaveBytes <= this.#outputBytes || this.#record !== null) return
    if (!this.#isOver) this.request('output', constants.signals.SIGTERM)
    // It has ended by itself, and what it had written came after.
    else
      this.#record = { reason: 'output', signal: constants.signals.SIGTERM, at: Date.now(), forcedAt: null }
  }

  #boundOutput(bytes: number): void {
    this.#outputBytes = bytes
    this.gave(0)
  }

  over(): void {
    this.#isOver = true
    clearTimeout(this.#wall)
    clearTimeout(this.#force)
  }

  #endAt(at: number): void {
    clearTimeout(this.#wall)
    const left = at - bootMs()
    if (left > 0) this.#wall = setTimeout(() => this.#endAt(at), Math.min(left, longestTimer))
    else if (this.#record === null) this.request('timeout', constants.signals.SIGTERM)
  }
}

/** setTimeout takes 2^31-1 ms at most and fires at once beyond. */
const longestTimer = 2 ** 31 - 1
