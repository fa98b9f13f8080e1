import { readFileSync } from 'node:fs'
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
 * nothing. Values are taken as they stand: no quotes, no expansion. Throws INVALID_ARGUMENT naming the file,
 * PERMISSION where a task could have put a link on the way to it.
 */
export function readEnvironmentFile(path: string): string[] {
  const bytes = readTrusted('--env-file', path, fd => readFileSync(fd))
  try {
    return new TextDecoder('utf-8', { fatal: true })
      .decode(bytes)
      .split(/\r?\n/)
      .filter(line => line.trim() !== '' && !line.trimStart().startsWith('#'))
  } catch {
    throw fileRefused('--env-file', path, 'read', new Error('it is no UTF-8'))
  }
}
