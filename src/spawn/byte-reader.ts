/** Takes a stream of bytes apart: fields that end with NUL, and runs of a known length. */
export class ByteReader {
  readonly #source: AsyncIterator<Buffer>
  #pieces: Buffer[] = []
  #size = 0

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Without its NUL; null where the stream ends before one. */
  async field(): Promise<Buffer | null> {
    let before = 0
    for (let index = 0; ; index++) {
      if (index === this.#pieces.length && !(await this.#more())) return null
      const piece = this.#pieces[index] ?? nothing
      const at = piece.indexOf(0)
      if (at >= 0) return this.#take(before + at + 1).subarray(0, -1)
      before += piece.length
    }
  }

  /** Null where the stream ends before. */
  async bytes(count: number): Promise<Buffer | null> {
    while (this.#size < count) if (!(await this.#more())) return null
    return this.#take(count)
  }

  async #more(): Promise<boolean> {
    const next: IteratorResult<Buffer, unknown> = await this.#source.next()
    if (next.done === true) return false
    this.#pieces.push(next.value)
    this.#size += next.value.length
    return true
  }

  #take(count: number): Buffer {
    const all = this.#pieces.length === 1 ? (this.#pieces[0] ?? nothing) : Buffer.concat(this.#pieces)
    const rest = all.subarray(count)
    this.#pieces = rest.length === 0 ? [] : [rest]
    this.#size = rest.length
    return all.subarray(0, count)
  }
}

const nothing = Buffer.alloc(0)
