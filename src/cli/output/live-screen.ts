export type ScreenSize = { readonly columns: number; readonly rows: number }

/**
 * The terminal's other screen, drawn over in place: no line is ever empty between two frames, so that nothing
 * flickers.
 */
export class LiveScreen {
  readonly #out: NodeJS.WriteStream
  readonly #lines: (size: ScreenSize) => readonly string[]
  readonly #resized = (): void => this.draw()
  #open = false

  constructor(out: NodeJS.WriteStream, lines: (size: ScreenSize) => readonly string[]) {
    this.#out = out
    this.#lines = lines
  }

  open(): void {
    this.#open = true
    this.#out.write('\x1b[?1049h\x1b[?25l\x1b[?7l')
    this.#out.on('resize', this.#resized)
  }

  /** One write a frame. */
  draw(): void {
    if (!this.#open) return
    const { columns = 80, rows = 24 } = this.#out
    const lines = this.#lines({ columns, rows }).slice(0, rows)
    this.#out.write(`\x1b[H${lines.map(line => `${line}\x1b[K`).join('\r\n')}\x1b[J`)
  }

  /** What was there before is there again. */
  close(): void {
    this.#open = false
    this.#out.off('resize', this.#resized)
    this.#out.write('\x1b[?7h\x1b[?25h\x1b[?1049l')
  }
}
