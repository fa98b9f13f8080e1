const [ctrlP, ctrlQ] = [0x10, 0x11]

/**
 * Finds Ctrl-P Ctrl-Q in what is typed, however it is cut. A Ctrl-P is passed on when it is known what
 * follows it.
 */
export class DetachKeys {
  #held = false

  /** What of it is the task's, up to the keys; `detached`: they were there. */
  pass(typed: Uint8Array): { readonly bytes: Uint8Array; readonly detached: boolean } {
    const bytes: number[] = []
    for (const byte of typed) {
      if (this.#held && byte === ctrlQ) return { bytes: Uint8Array.from(bytes), detached: true }
      if (this.#held) bytes.push(ctrlP)
      this.#held = byte === ctrlP
      if (!this.#held) bytes.push(byte)
    }
    return { bytes: Uint8Array.from(bytes), detached: false }
  }
}
