import { readFileSync } from 'node:fs'
import { UsageError } from '../usage-error.ts'
import { refuseChangedVariable } from './own-bytes.ts'

/**
 * `NAME=value`, or `NAME` for the value it has in `own`: secrets need not stand in the arguments, which everybody on the host can read.
 * Values are never part of an error. Throws INVALID_ARGUMENT.
 */
export function parseEnvironment(
  entries: readonly string[],
  own: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  return Object.fromEntries(entries.map(entry => variable(entry, own)))
}

function variable(entry: string, own: NodeJS.ProcessEnv): [string, string] {
  const end = entry.indexOf('=')
  if (end > 0) return [entry.slice(0, end), entry.slice(end + 1)]
  const value = end === 0 || entry === '' ? undefined : own[entry]
  if (value !== undefined) {
    refuseChangedVariable(entry, value)
    return [entry, value]
  }
  const problem =
    end === 0 || entry === '' ? 'a variable has no name' : `${JSON.stringify(entry)} is not set here`
  throw new UsageError(`--env: ${problem}; takes NAME=VALUE, or NAME to pass on the value it has here`)
}

/**
 * The variables of a file, one a line, as --env takes them; empty lines and those that begin with "#" say nothing. Values are taken as they
 * stand: no quotes, no expansion. Throws INVALID_ARGUMENT naming the file.
 */
export function readEnvironmentFile(path: string): string[] {
  try {
    return new TextDecoder('utf-8', { fatal: true })
      .decode(readFileSync(path))
      .split(/\r?\n/)
      .filter(line => line.trim() !== '' && !line.trimStart().startsWith('#'))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason = code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is no UTF-8' : message
    throw new UsageError(`--env-file: ${JSON.stringify(path)} cannot be read: ${reason}`, {
      path,
      errno: code,
    })
  }
}
