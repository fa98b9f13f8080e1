import type { Line, LogLines } from './log-lines.ts'

/**
 * How many rows of the screen each line takes, where a row has so many columns, and where it begins: what
 * there is to be drawn is found without drawing the rest.
 */
export class LogRows {
  /** Of each line, the row after its last, counted from the first line that there ever was. */
  readonly #ends: number[] = []
  #first = 0
  /** Rows of lines that are kept no more. */
  #gone = 0
  #columns = 0
  /** Of the next line that has to be measured. */
  #measured = 0

  /** Measures what is new, or may have grown. Gives how many rows have gone at the beginning. */
  update(log: LogLines, columns: number): number {
    const goneBefore = this.#gone
    if (columns !== this.#columns || log.first < this.#first) {
      this.#columns = columns
      this.#ends.length = 0
      this.#first = this.#measured = log.first
      this.#gone = 0
    }
    const dropped = Math.min(this.#ends.length, log.first - this.#first)
    if (dropped > 0) {
      this.#gone = this.#ends[dropped - 1] ?? this.#gone
      this.#ends.splice(0, dropped)
    }
    this.#first = log.first
    this.#ends.length = Math.min(this.#ends.length, Math.max(0, this.#measured - log.first))
    for (let index = this.#ends.length; index < log.lines.length; index++) {
      const line = log.lines[index]
      if (line !== undefined) this.#ends.push((this.#ends.at(-1) ?? this.#gone) + rowsOf(line, columns))
    }
    this.#measured = log.firstOpen
    return Math.max(0, this.#gone - goneBefore)
  }

  get total(): number {
    return (this.#ends.at(-1) ?? this.#gone) - this.#gone
  }

  /** Where a line of this index begins. */
  before(index: number): number {
    return index <= 0 ? 0 : (this.#ends[index - 1] ?? this.#gone) - this.#gone
  }

  of(index: number): number {
    return this.before(index + 1) - this.before(index)
  }

  /** The index of the line that has this row. */
  at(row: number): number {
    let [low, high] = [0, this.#ends.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.before(middle + 1) > row) high = middle
      else low = middle + 1
    }
    return Math.max(0, low)
  }
}

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\ud800-\udbff][\udc00-\udfff]/g

/** A wide character takes two columns, and leaves one empty where it does not fit at the end of a row. */
function rowsOf({ text }: Line, columns: number): number {
  if (text.length <= columns && !/[^\x20-\x7e]/.test(text)) return 1
  let cells = text.length
  let usable = columns
  for (const [character] of text.matchAll(wide)) {
    cells += 2 - character.length
    usable = Math.max(1, columns - 1)
  }
  return Math.max(1, Math.ceil(cells / usable))
}
