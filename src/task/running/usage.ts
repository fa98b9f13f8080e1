import type { Usage } from '../../api.ts'
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
  async sample(): Promise<Usage> {
    const { keeper, records } = this.#task
    const probe = this.#probe ?? keeper.probe(records.require())
    if (this.#watchers > 0) this.#probe = probe
    try {
      return await probe.sample()
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
