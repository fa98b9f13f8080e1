import { HoldfastError } from '../../errors.ts'
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
  const [, field = '', path = '', rest = ''] = refusal.exec(error.message) ?? []
  const flag = namesakes.get(field) ?? flagsOf(field)
  if (flag === '') return error
  const { stage, errno, path: file, hint } = error
  const message = flag + withinFlag(path) + rest
  return new HoldfastError(error.code, message, { stage, errno, path: file, hint, cause: error })
}

/** The field, where in it, and what is wrong there. */
const refusal = new RegExp(
  `^(${[
    String.raw`command\.logs\.max\w+`,
    String.raw`(?:command\.)?network\.allow`,
    String.raw`\w+\.\w+`,
    String.raw`task names?(?:\[0\])?`,
    String.raw`(?:\w+ option )?\w+`,
  ].join('|')})((?:\\[\\d+\\](?:\\.\\w+)?|\\..*?)?)(: .*)$`,
  's',
)

/** A flag that repeats has words of one kind, and of a map the name says which. */
function withinFlag(path: string): string {
  return path.startsWith('.') ? ` ${path.slice(1)}` : ''
}

/** What no field of the table sets, or by another name. */
const namesakes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'command.path': 'COMMAND',
    'command.args': 'ARG',
    'command.secrets': '--secret',
    'command.terminal': '--tty',
    'workspace.overlay': '--overlay',
    'command.network.allow': '--allow',
    'command.logs.maxBytes': '--log-max-size',
    'command.logs.maxFiles': '--log-max-files',
    'network.allow': '--allow',
    'task name': '--name',
    'task names[0]': '--name',
    'supervisor option stateDir': '--state-dir',
    'inspector option host': '--host',
    'inspector option metricsToken': 'HOLDFAST_METRICS_TOKEN',
    // Of what a start or an update finds out.
    workspace: '--workspace',
    mounts: '--mount',
    cpuset: '--cpuset',
    network: '--allow',
    format: '--format',
    stateDir: '--state-dir',
  }),
)

function flagsOf(field: string): string {
  return flagTable
    .flatMap(({ flags }) => flags)
    .filter(({ sets }) => sets?.field === field)
    .map(longName)
    .join(' and ')
}
