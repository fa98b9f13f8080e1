/**
 * DEC's private modes that are on where a terminal has not been told anything: the wrap at the margin, the
 * cursor.
 */
const onByDefault: ReadonlySet<number> = new Set([7, 25])

/** Modes whose change clears or moves: what was shown before them is not to be drawn over. */
const otherScreen: readonly number[] = [1049, 1047, 47]

const longestSequence = 64

/**
 * Which modes of a terminal a program has changed and not put back: another screen, a hidden cursor, reports
 * of the mouse. Reads the program's output, however it is cut.
 */
export class ScreenModes {
  readonly #changed = new Set<number>()
  #keypad = false
  #keys = false
  #rest = ''

  /** Returns whether something has changed. */
  read(output: Uint8Array): boolean {
    const before = this.undo
    const text =
      this.#rest + Buffer.from(output.buffer, output.byteOffset, output.byteLength).toString('latin1')
    for (const [, sequence = ''] of text.matchAll(sequences)) this.#obey(sequence)
    const last = text.lastIndexOf('\x1b')
    const open = last >= 0 && text.length - last < longestSequence && unfinished.test(text.slice(last))
    this.#rest = open ? text.slice(last) : ''
    return this.undo !== before
  }

  /** What puts the terminal back. */
  get undo(): string {
    return (
      this.#modes(mode => (onByDefault.has(mode) ? 'h' : 'l')) +
      (this.#keypad ? '\x1b>' : '') +
      (this.#keys ? '\x1b[>4m' : '') +
      (this.#changed.size > 0 ? '\x1b[m' : '')
    )
  }

  /** What makes a fresh terminal as the program has left this one. */
  get redo(): string {
    return this.#modes(mode => (onByDefault.has(mode) ? 'l' : 'h')) + (this.#keypad ? '\x1b=' : '')
  }

  get isOnOtherScreen(): boolean {
    return otherScreen.some(mode => this.#changed.has(mode))
  }

  #modes(letter: (mode: number) => string): string {
    // The screen last: its cursor is put back as it was.
    const modes = [...this.#changed].sort((one, other) => rank(one) - rank(other))
    return modes.map(mode => `\x1b[?${mode}${letter(mode)}`).join('')
  }

  #obey(sequence: string): void {
    const [, numbers = '', letter] = /^\[\?([\d;]*)([hl])$/.exec(sequence) ?? []
    for (const number of letter === undefined ? [] : numbers.split(';').map(Number)) {
      if ((letter === 'h') === onByDefault.has(number)) this.#changed.delete(number)
      else if (number > 0) this.#changed.add(number)
    }
    if (sequence === '=' || sequence === '>') this.#keypad = sequence === '='
    if (sequence.startsWith('[>4')) this.#keys = /^\[>4;[12]m$/.test(sequence)
    // Everything as it was switched on.
    if (sequence !== 'c') return
    this.#changed.clear()
    this.#keypad = this.#keys = false
  }
}

const rank = (mode: number): number => (otherScreen.includes(mode) ? 1 : 0)

const sequences = /\x1b(\[\?[\d;]{1,40}[hl]|\[>4(?:;\d)?m|[=>c])/g
const unfinished = /^\x1b(\[[?>]?[\d;]*)?$/
