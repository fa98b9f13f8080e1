import { chmodSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { driverName } from './version.ts'

/**
 * Writes the file that a Nomad agent starts, called like the `plugin` block, and returns its path. With full
 * paths, since an agent's PATH is often a short one; with `exec`, since the agent watches and ends the
 * process it has started. Throws what the file system does.
 */
export function installPlugin(directory: string, holdfast: readonly string[]): string {
  const path = join(resolve(directory), driverName)
  const temporary = `${path}.${process.pid}.tmp`
  const command = [...holdfast, 'nomad-driver'].map(quoted).join(' ')
  writeFileSync(temporary, `#!/bin/sh\nexec ${command} "$@"\n`)
  chmodSync(temporary, 0o755)
  renameSync(temporary, path)
  return path
}

function quoted(word: string): string {
  return /^[\w./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
