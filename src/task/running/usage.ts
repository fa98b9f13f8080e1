import type { Usage, UsageDetail } from '../../api.ts'
import type { UsageProbe } from '../../platform/port.ts'
import type { TaskParts } from '../effects/task-parts.ts'

/** Samples of what one task uses. While somebody watches, what a sample has opened is kept for the next. */
export class RunningUsage {
  readonly #task: Pick<TaskParts, 'keeper' | 'records'>
  #probe: UsageProbe | null = null
  #watchers = 0

  constructor(task: Pick<TaskParts, 'keeper' | 'records'>) {
    this.#task = task
  }

  /** One sample, without `cpuPercent`. Rejects LOST without a start record. */
  sample(): Promise<Usage> {
    return this.#read(probe => probe.sample())
  }

  /** Rejects LOST without a start record. */
  detail(): Promise<UsageDetail> {
    return this.#read(probe => probe.detail())
  }

  async #read<Value>(read: (probe: UsageProbe) => Value | Promise<Value>): Promise<Value> {
    const { keeper, records } = this.#task
    const probe = this.#probe ?? keeper.probe(records.require())
    if (this.#watchers > 0) this.#probe = probe
    try {
      return await read(probe)
    } finally {
      if (this.#probe !== probe) probe.close()
    }
  }

  /**
   * Until released, what one sample has opened is kept for the next. Returns the release, to be called once.
   */
  watch(): () => void {
    this.#watchers++
    return () => {
      if (--this.#watchers === 0) this.forget()
    }
  }

  /** Closes what is kept; the next sample opens it anew. */
  forget(): void {
    this.#probe?.close()
    this.#probe = null
  }
}
