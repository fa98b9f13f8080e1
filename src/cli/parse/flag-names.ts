import { HoldfastError } from '../../index.ts'

/** The flags by what the library calls their fields. */
const flags: Readonly<Record<string, string>> = {
  'resources.cpu': '--cpu',
  'resources.cpuLimit': '--cpus',
  'resources.cpuset': '--cpuset',
  'resources.memoryBytes': '--memory',
  'resources.pids': '--pids',
  'resources.wallTimeMs': '--timeout',
  'resources.outputBytes': '--max-output',
  'command.cwd': '--cwd',
  'command.env': '--env',
  'command.hostname': '--hostname',
  'command.logs': '--log-max-size and --log-max-files',
  'command.mounts': '--mount',
  'command.network': '--network',
  'command.path': 'COMMAND',
  'command.args': 'ARG',
  'command.tmpfs': '--tmpfs',
  'command.labels': '--label',
  'command.capabilities': '--cap-add',
  'command.seccomp': '--seccomp',
  'resources.rlimits': '--ulimit',
  'command.user': '--user',
  'command.group': '--group',
  'task name': '--name',
  'task names[0]': '--name',
}

/** Waits for what the library makes of the values of flags; its refusal names the flag instead of the field. */
export async function namingFlags<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof HoldfastError && error.code === 'INVALID_ARGUMENT' ? renamed(error) : error
  }
}

function renamed(error: HoldfastError): HoldfastError {
  const [, field = '', rest = ''] =
    /^([a-zA-Z]+\.[a-zA-Z]+|task names?(?:\[0\])?)(.*)$/s.exec(error.message) ?? []
  const flag = flags[field]
  if (flag === undefined) return error
  const { stage, errno, path, hint } = error
  return new HoldfastError(error.code, flag + rest, { stage, errno, path, hint, cause: error })
}
