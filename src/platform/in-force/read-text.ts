import { readFileSync } from 'node:fs'

/** A file of the kernel's; null: there is none, or whoever asks may not read it. */
export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}
