/** A run of text in one style: names of classes, nothing that came with the text. */
export type Span = { readonly text: string; readonly classes: string }

const names = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white']

/**
 * What a program prints, as lines of styled text. Of the escape sequences only the sixteen colours, bold and
 * dim are kept; all others, and every other control character, are dropped. Goes on where it was: sequences
 * and lines may be cut anywhere. Bounded in lines and in their length.
 */
export class Screen {
  readonly #maxLines: number
  readonly #maxLength: number
  lines: Span[][] = [[]]
  /** The number of the first line that is kept. */
  first = 0
  #rest = ''
  #length = 0
  #color = ''
  #bold = false
  #dim = false

  constructor(maxLines = 3000, maxLength = 4000) {
    this.#maxLines = maxLines
    this.#maxLength = maxLength
  }

  write(text: string): void {
    const all = this.#rest + text
    const cut = /\x1b(?:\[[0-9;:?<=>!]{0,64}|\][^\x07\x1b]{0,512})?$/.exec(all)
    this.#rest = cut === null ? '' : cut[0]
    const whole = cut === null ? all : all.slice(0, cut.index)
    const sequences = /\x1b\[([0-9;:?<=>!]{0,64})([@-~])|\x1b\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)|\x1b[ -~]?/g
    let from = 0
    for (const match of whole.matchAll(sequences)) {
      this.#print(whole.slice(from, match.index))
      if (match[2] === 'm') this.#style(match[1] ?? '')
      from = match.index + match[0].length
    }
    this.#print(whole.slice(from))
  }

  #print(text: string): void {
    const [head = '', ...others] = text.replace(/\r\n/g, '\n').split('\n')
    this.#add(head)
    for (const line of others) {
      this.lines.push([])
      this.#length = 0
      this.#add(line)
    }
    const surplus = this.lines.length - this.#maxLines
    if (surplus <= 0) return
    this.lines.splice(0, surplus)
    this.first += surplus
  }

  #add(text: string): void {
    // A carriage return alone begins the line anew, as progress bars want it.
    const fresh = text.lastIndexOf('\r')
    if (fresh >= 0) {
      this.lines[this.lines.length - 1] = []
      this.#length = 0
    }
    const clean = text.slice(fresh + 1).replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '')
    const room = this.#maxLength - this.#length
    if (clean === '' || room <= 0) return
    const kept = clean.length > room ? `${clean.slice(0, room)} …` : clean
    this.#length += kept.length
    const line = [...(this.lines.at(-1) ?? []), { text: kept, classes: this.#classes() }]
    // A new array: whoever shows it sees that it has changed.
    this.lines[this.lines.length - 1] = line
  }

  #classes(): string {
    return [this.#color, this.#bold ? 'bold' : '', this.#dim ? 'dim' : ''].filter(Boolean).join(' ')
  }

  #style(parameters: string): void {
    const codes = parameters.split(/[;:]/).map(Number)
    for (let index = 0; index < codes.length; index++) {
      const code = codes[index] ?? 0
      if (code === 0) [this.#color, this.#bold, this.#dim] = ['', false, false]
      else if (code === 1) this.#bold = true
      else if (code === 2) this.#dim = true
      else if (code === 22) this.#bold = this.#dim = false
      else if (code >= 30 && code <= 37) this.#color = `ansi-${names[code - 30]}`
      else if (code >= 90 && code <= 97) this.#color = `ansi-${names[code - 90]}`
      else if (code === 39) this.#color = ''
      // The colours of larger palettes are passed over with what belongs to them.
      else if (code === 38 || code === 48) index += codes[index + 1] === 5 ? 2 : 4
    }
  }
}
