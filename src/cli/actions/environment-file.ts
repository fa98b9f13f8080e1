import { closeSync, constants, readFileSync } from 'node:fs'
import { openTrusted } from '../../index.ts'
import { parseEnvironment } from '../parse/environment.ts'
import { UsageError } from '../usage-error.ts'

/** What --env-file and --env say together: --env wins, in whichever order they were given. Throws as {@link readEnvironmentFile} does. */
export function withEnvironmentFiles(
  paths: readonly string[],
  env: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  return { ...parseEnvironment(paths.flatMap(readEnvironmentFile)), ...env }
}

/**
 * The variables of a file, one a line, as --env takes them; empty lines and those that begin with "#" say nothing. Values are taken as they
 * stand: no quotes, no expansion. Throws INVALID_ARGUMENT naming the file, PERMISSION where a task could have put a link on the way to it.
 */
export function readEnvironmentFile(path: string): string[] {
  const bytes = contentOf(path)
  try {
    return new TextDecoder('utf-8', { fatal: true })
      .decode(bytes)
      .split(/\r?\n/)
      .filter(line => line.trim() !== '' && !line.trimStart().startsWith('#'))
  } catch {
    throw unreadable(path, 'it is no UTF-8')
  }
}

function contentOf(path: string): Buffer {
  try {
    const fd = openTrusted(path, constants.O_RDONLY)
    try {
      return readFileSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'PERMISSION') throw error
    throw unreadable(path, message, code)
  }
}

function unreadable(path: string, reason: string, errno?: string): UsageError {
  return new UsageError(`--env-file: ${JSON.stringify(path)} cannot be read: ${reason}`, { path, errno })
}
