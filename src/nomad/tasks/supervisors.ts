import { Supervisor } from '../../index.ts'

/**
 * One supervisor for each state directory: what an earlier configuration has started lies where that one
 * said.
 */
export class Supervisors {
  readonly #made = new Map<string, Supervisor>()
  readonly #watch: (supervisor: Supervisor, stateDir: string) => void
  readonly #strict: () => boolean

  /** `watch` is called for each new one, before it has any task. */
  constructor(strict: () => boolean, watch: (supervisor: Supervisor, stateDir: string) => void) {
    this.#strict = strict
    this.#watch = watch
  }

  /** Touches nothing on disk. */
  at(stateDir: string): Supervisor {
    const known = this.#made.get(stateDir)
    if (known !== undefined) return known
    const supervisor = new Supervisor({ stateDir, strict: this.#strict() })
    this.#made.set(stateDir, supervisor)
    this.#watch(supervisor, stateDir)
    return supervisor
  }

  /** Lets go of all tasks; they go on. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#made.values()].map(supervisor => supervisor.close()))
  }
}
