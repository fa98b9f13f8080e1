const notice = 'holdfast: standard input has data that nobody reads: -i gives it to the task\n'

/**
 * A task that goes on is told of while it can still be started anew for little; one that ends before has its
 * notice then.
 */
const afterMs = 1000

/** Says once that what was piped into this program does not reach the task. */
export class InputNotice {
  readonly #say: (text: string) => void
  readonly #timer: NodeJS.Timeout
  #checking: Promise<void> | null = null
  #said = false

  constructor(say: (text: string) => void) {
    this.#say = say
    this.#timer = setTimeout(() => {
      this.#checking = this.#check()
    }, afterMs)
  }

  /**
   * The task has ended, or could not be started; resolves when nothing more is said. `quietly`: nothing is to
   * be said any more.
   */
  async end({ quietly = false } = {}): Promise<void> {
    clearTimeout(this.#timer)
    await this.#checking
    if (!quietly) await this.#check()
  }

  async #check(): Promise<void> {
    const { inputIsWaiting } = await import('../../index.ts')
    if (this.#said || !(await inputIsWaiting())) return
    this.#said = true
    this.#say(notice)
  }
}
