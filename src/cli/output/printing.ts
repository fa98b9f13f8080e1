import type { OutputChunk } from '../../index.ts'
import { json } from './escape.ts'

/** What `--json` prints: one document. */
export function printJson(document: unknown): void {
  process.stdout.write(`${json(document)}\n`)
}

/**
 * Resolves when it is written, or cannot be (hang-up.ts hears of that): who prints no faster than this holds
 * one piece in memory.
 */
export function print(stream: 'stdout' | 'stderr', bytes: Uint8Array | string): Promise<void> {
  return new Promise(resolve => {
    process[stream].write(bytes, () => resolve())
  })
}

/** What was not printed for want of speed or of notes, once each, on standard error. */
export class Remarks {
  #unordered = false

  async about({ unordered, lost, stream }: OutputChunk, others: ReadonlySet<string>): Promise<void> {
    if (lost !== undefined)
      await print(
        'stderr',
        `holdfast: ${lost} bytes of ${stream} were rotated away before they could be printed\n`,
      )
    // Of one stream alone the order is known.
    if (!unordered || this.#unordered || others.size < 2) return
    this.#unordered = true
    await print('stderr', 'holdfast: the order of the two streams is not known for all that follows\n')
  }
}
