import { lazily } from './lazily.ts'

/**
 * Read when first asked: whoever only loads the library needs none of it, and it is some twenty files of
 * Node's.
 */
const ofNode = lazily(() => process.getBuiltinModule('node:crypto'))

/** Two hexadecimal digits for each byte. */
export function randomHex(bytes: number): string {
  return ofNode().randomBytes(bytes).toString('hex')
}

export function randomUUID(): string {
  return ofNode().randomUUID()
}
