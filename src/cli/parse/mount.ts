import { resolve } from 'node:path'
import type { Mount, Tmpfs } from '../../index.ts'
import { invalidArgument } from '../../invalid-argument.ts'
import { parseSize } from './size.ts'

/**
 * `SRC[:DST][:ro]`; a relative SRC is relative to the current directory, and DST is SRC where there is none.
 * Throws INVALID_ARGUMENT.
 */
export function parseMount(text: string): Mount {
  const [, path, target, mode] = /^([^:]+)(?::(\/[^:]*))?(?::(ro|rw))?$/.exec(text) ?? []
  if (path === undefined)
    throw invalidArgument('--mount', text, 'SRC[:DST][:ro], DST absolute, no other colons')
  const source = absolute(path, text)
  return { source, target: target ?? source, readOnly: mode === 'ro' }
}

function absolute(path: string, text: string): string {
  try {
    return resolve(path)
  } catch {
    throw invalidArgument('--mount', text, 'an absolute SRC, for the working directory has been deleted')
  }
}

/** `DST` or `DST:SIZE`. Throws INVALID_ARGUMENT. */
export function parseTmpfs(text: string): Tmpfs {
  const [, target, size] = /^(\/[^:]*)(?::([^:]+))?$/.exec(text) ?? []
  if (target === undefined) throw invalidArgument('--tmpfs', text, 'DST or DST:SIZE, DST absolute')
  return size === undefined ? { target } : { target, sizeBytes: parseSize('--tmpfs', size) }
}
