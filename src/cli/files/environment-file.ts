import { readFileSync } from 'node:fs'
import { HoldfastError } from '../../errors.ts'
import { fileRefused } from '../file-refused.ts'
import { parseEnvironment } from '../parse/environment.ts'
import { readTrusted } from './read-trusted.ts'

/**
 * What --env-file and --env say together: --env wins, in whichever order they were given. Throws as {@link
 * readEnvironmentFile} does.
 */
export function withEnvironmentFiles(
  paths: readonly string[],
  env: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  return { ...parseEnvironment(paths.flatMap(readEnvironmentFile)), ...env }
}

/**
 * The variables of a file, one a line, as --env takes them; empty lines and those that begin with "#" say
 * nothing, nor does white space before a name. Values are taken as they stand: no quotes, no expansion.
 * Throws INVALID_ARGUMENT naming the file, PERMISSION where a task could have put a link on the way to it.
 */
export function readEnvironmentFile(path: string): string[] {
  return textOf(path)
    .split(/\r?\n/)
    .flatMap((line, index) => {
      const entry = line.trimStart()
      if (entry === '' || entry.startsWith('#')) return []
      if (/^[^=]*\s/.test(entry)) throw spacedName(path, index + 1)
      return [entry]
    })
}

function textOf(path: string): string {
  const bytes = readTrusted('--env-file', path, fd => readFileSync(fd))
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw fileRefused('--env-file', path, 'read', new Error('it is no UTF-8'))
  }
}

/** As docker refuses it. The line may be the rest of a secret, and is not told. */
function spacedName(path: string, line: number): HoldfastError {
  return new HoldfastError(
    'INVALID_ARGUMENT',
    `--env-file: ${JSON.stringify(path)}, line ${line}: white space in the name; takes NAME=VALUE or NAME`,
    { path, hint: 'write it without "export", and without a space before "="' },
  )
}
