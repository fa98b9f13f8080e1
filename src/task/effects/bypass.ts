/** Why a task was killed past its shim. */
export type BypassCause = 'forced' | 'timeout'

/**
 * A kill past the shim, which may then leave no record: told by whoever kills, asked by whoever watches for
 * the end.
 */
export class Bypass {
  #cause: BypassCause | null = null
  #survivors: readonly number[] | null = null
  #over = (): void => {}

  /** Resolves when every means has been used. */
  readonly over = new Promise<void>(resolve => (this.#over = resolve))

  /** Null: the task has not been killed past its shim. */
  get cause(): BypassCause | null {
    return this.#cause
  }

  /** What every means has left; null: they have not all been used. */
  get survivors(): readonly number[] | null {
    return this.#survivors
  }

  /** Of two, the first counts. */
  begin(cause: BypassCause): void {
    this.#cause ??= cause
  }

  /** The shim has been sent SIGKILL: whatever keeps it from dying, it writes no record any more. */
  end(survivors: readonly number[]): void {
    this.#survivors = survivors
    this.#over()
  }
}
