import { HoldfastError } from '../../index.ts'
import { longName } from './flag.ts'
import { flagTable } from './table.ts'

/**
 * Waits for what the library makes of the values of flags; its refusal names the flag instead of the field.
 */
export async function namingFlags<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof HoldfastError && named.has(error.code) ? renamed(error) : error
  }
}

/** The refusals that begin with a field. */
const named: ReadonlySet<string> = new Set(['INVALID_ARGUMENT', 'PERMISSION', 'UNSUPPORTED'])

function renamed(error: HoldfastError): HoldfastError {
  const [, field = '', rest = ''] =
    /^((?:command\.)?network\.allow|[a-zA-Z]+\.[a-zA-Z]+|task names?(?:\[0\])?)(.*)$/s.exec(error.message) ??
    []
  const flag = operands[field] ?? flagsOf(field)
  if (flag === '') return error
  const { stage, errno, path, hint } = error
  return new HoldfastError(error.code, flag + rest, { stage, errno, path, hint, cause: error })
}

/** What no field of the table sets. */
const operands: Readonly<Record<string, string>> = {
  'command.path': 'COMMAND',
  'command.args': 'ARG',
  'command.secrets': '--secret',
  'command.terminal': '--tty',
  'command.network.allow': '--allow',
  'network.allow': '--allow',
  'task name': '--name',
  'task names[0]': '--name',
}

function flagsOf(field: string): string {
  return flagTable
    .flatMap(({ flags }) => flags)
    .filter(({ sets }) => sets?.field === field)
    .map(longName)
    .join(' and ')
}
