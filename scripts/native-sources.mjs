// What the native program is made of, and the mark by which it is known again: the last bytes of the file
// name its sources.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
export const sources = join(root, 'src/spawn/native')

export function sourceFiles() {
  return readdirSync(sources)
    .filter(file => /\.(c|h|inc)$/.test(file))
    .sort()
}

/** Of the sources alone: every architecture's program has the same. */
export function sourcesDigest() {
  const hash = createHash('sha256')
  for (const file of sourceFiles()) hash.update(`\0${file}\0`).update(readFileSync(join(sources, file)))
  return hash.digest('hex').slice(0, 32)
}

/** src/spawn/native-mark.ts reads it. */
export function mark(digest = sourcesDigest()) {
  return `\nholdfast-native of ${digest}\n`
}
