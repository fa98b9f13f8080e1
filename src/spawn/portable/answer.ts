import { closeSync, writeSync } from 'node:fs'

/** One line, then the supervisor is done with us: its pipe must not keep either side waiting. */
export function answer(line: string): void {
  try {
    writeSync(1, `${line}\n`)
  } catch {
    // The supervisor is gone; the records say what it would have heard.
  }
  closeSync(1)
}
