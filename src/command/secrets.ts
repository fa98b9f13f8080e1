import { isUint8Array } from 'node:util/types'
import { isFaithful } from './faithful.ts'
import { invalidArgument } from '../invalid-argument.ts'

/** A file that only its task is to read. */
export type Secret = { readonly name: string; readonly bytes: Uint8Array }

/** Bytes of one secret, bytes of all, and how many there are at most. */
export const maxSecrets = { each: 1 << 20, together: 4 << 20, count: 256 } as const

const takesName =
  'a file name of 1 to 255 bytes, without "/", control characters and lone surrogates, and neither "." nor ".."'

/**
 * Copies of what `command.secrets` holds, so that they can be wiped; none where it is undefined. No value is
 * ever part of an error. Throws INVALID_ARGUMENT naming the field, what it got and what it takes.
 */
export function parseSecrets(value: unknown): readonly Secret[] {
  if (value === undefined) return []
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isUint8Array(value))
    throw invalidArgument(
      'command.secrets',
      Symbol(`a ${typeof value}`),
      'an object of strings and bytes by their names',
    )
  const entries = Object.entries(value).filter(([, content]) => content !== undefined)
  if (entries.length > maxSecrets.count)
    throw invalidArgument('command.secrets', entries.length, `${maxSecrets.count} at most`)
  const secrets = entries.map(([name, content]) => ({ name: nameOf(name), bytes: bytesOf(name, content) }))
  const together = secrets.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (together > maxSecrets.together)
    throw invalidArgument(
      'command.secrets',
      Symbol(`${together} bytes together`),
      `${maxSecrets.together} at most`,
    )
  return secrets
}

/** Nothing of them is left in this copy. */
export function wipeSecrets(secrets: readonly Secret[]): void {
  for (const { bytes } of secrets) bytes.fill(0)
}

function nameOf(name: string): string {
  const fits = name !== '' && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255
  if (fits && isFaithful(name) && !/[/\p{Cc}]/u.test(name)) return name
  throw invalidArgument('command.secrets', name, takesName)
}

function bytesOf(name: string, content: unknown): Uint8Array {
  const field = `command.secrets.${name}`
  if (typeof content === 'string' ? !isFaithful(content.replaceAll('\0', '')) : !isUint8Array(content))
    throw invalidArgument(field, Symbol(`a ${typeof content}`), 'bytes, or a string without lone surrogates')
  const bytes = Buffer.from(content as string | Uint8Array)
  if (bytes.length <= maxSecrets.each) return bytes
  throw invalidArgument(field, Symbol(`${bytes.length} bytes`), `${maxSecrets.each} at most`)
}
