import { HoldfastError } from '../../errors.ts'
import { refuseChangedVariable } from './own-bytes.ts'

/**
 * `NAME=value`, or `NAME` for the value it has in `own`: secrets need not stand in the arguments, which
 * everybody on the host can read. Values are never part of an error. Throws INVALID_ARGUMENT.
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
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    `--env: ${problem}; takes NAME=VALUE, or NAME to pass on the value it has here`,
  )
}
