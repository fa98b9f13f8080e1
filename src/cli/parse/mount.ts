import { resolve } from 'node:path'
import type { Mount, Tmpfs } from '../../index.ts'
import { refused } from './refused.ts'
import { parseSize } from './size.ts'

/** `SRC:DST` or `SRC:DST:ro`; a relative SRC is relative to the current directory. Throws INVALID_ARGUMENT. */
export function parseMount(text: string): Mount {
  const [, source, target, mode] = /^([^:]+):(\/[^:]*)(?::(ro|rw))?$/.exec(text) ?? []
  if (source === undefined || target === undefined) {
    throw refused('--mount', text, 'SRC:DST or SRC:DST:ro, DST absolute, no other colons')
  }
  return { source: resolve(source), target, readOnly: mode === 'ro' }
}

/** `DST` or `DST:SIZE`. Throws INVALID_ARGUMENT. */
export function parseTmpfs(text: string): Tmpfs {
  const [, target, size] = /^(\/[^:]*)(?::([^:]+))?$/.exec(text) ?? []
  if (target === undefined) throw refused('--tmpfs', text, 'DST or DST:SIZE, DST absolute')
  return size === undefined ? { target } : { target, sizeBytes: parseSize('--tmpfs', size) }
}
