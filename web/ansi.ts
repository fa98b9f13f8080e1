/** What a program prints, taken apart: text in a style, ends of lines, and lines that begin anew. */
export type Sink = {
  /** `classes`: names of ours, nothing that came with the text. */
  readonly text: (text: string, classes: string) => void
  readonly newline: () => void
  /** The line begins anew, as progress bars want it. */
  readonly restart: () => void
}

const names = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white']

/**
 * Reads what one stream prints. Of the escape sequences only the sixteen colours, bold and dim are kept; all
 * others, and every other control character, are dropped. Goes on where it was: sequences and lines may be
 * cut anywhere.
 */
export class Styled {
  readonly #sink: Sink
  #rest = ''
  #color = ''
  #bold = false
  #dim = false

  constructor(sink: Sink) {
    this.#sink = sink
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
      this.#sink.newline()
      this.#add(line)
    }
  }

  #add(text: string): void {
    const fresh = text.lastIndexOf('\r')
    if (fresh >= 0) this.#sink.restart()
    const clean = text.slice(fresh + 1).replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '')
    if (clean !== '') this.#sink.text(clean, this.#classes())
  }

  #classes(): string {
    if (this.#color === '' && !this.#bold && !this.#dim) return ''
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
