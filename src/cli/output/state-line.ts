import type { Executor, Usage } from '../../index.ts'
import { escaped } from './escape.ts'
import type { Colors } from './terminal.ts'
import { bytesText, timeText } from './units.ts'
import { fitted } from './width.ts'

/** What a terminal is to this: where lines go, and how wide they may be. */
export type Screen = Pick<NodeJS.WriteStream, 'write'> & { readonly columns?: number }

/**
 * One line below what a task prints: its state, time, CPU and memory. Cleared before anything else is
 * written, and drawn again only where that has ended with a newline: a prompt of the task's is not written
 * over.
 */
export class StateLine {
  readonly #screen: Screen
  readonly #colors: Colors
  #shown = false
  #atLineStart = true
  #text = ''

  constructor(screen: Screen, colors: Colors) {
    this.#screen = screen
    this.#colors = colors
  }

  /** Follows a task until the returned function is called, which clears the line. */
  follow(task: Executor, now: () => number = Date.now): () => void {
    const begun = now()
    let usage: Usage | null = null
    const draw = (): void => {
      const { columns = 80 } = this.#screen
      this.#text = fitted(stateText(task, now() - begun, usage), Math.max(0, columns - 1), '')
      this.#show()
    }
    const samples = task.usage$(1000).subscribe({
      next: sample => {
        usage = sample
        draw()
      },
      // What cannot be known is not shown.
      error: () => {},
    })
    const states = task.state$.subscribe({ next: draw, error: () => {} })
    return () => {
      samples.unsubscribe()
      states.unsubscribe()
      this.#text = ''
      this.#clear()
    }
  }

  /** Lets something else be written. */
  around(chunk: Uint8Array, write: () => void): void {
    this.#clear()
    write()
    this.#atLineStart = chunk.at(-1) === 10
    this.#show()
  }

  #show(): void {
    if (this.#text === '' || !this.#atLineStart) return
    this.#screen.write(`\r\x1b[K${this.#colors.dim(this.#text)}`)
    this.#shown = true
  }

  #clear(): void {
    if (this.#shown) this.#screen.write('\r\x1b[K')
    this.#shown = false
  }
}

function stateText(task: Executor, elapsed: number, usage: Usage | null): string {
  const { cpuPercent = null, memoryBytes = null, pids = null } = usage ?? {}
  const known = [
    cpuPercent === null ? [] : `cpu ${cpuPercent.toFixed(0)} %`,
    memoryBytes === null ? [] : `memory ${bytesText(memoryBytes)}`,
    pids === null ? [] : `pids ${pids}`,
  ].flat()
  return [`${escaped(task.name)} ${task.state} for ${timeText(elapsed)}`, ...known].join(', ')
}
