import { type Command, HoldfastError, type Resources } from '../../index.ts'
import { parseDuration } from '../parse/duration.ts'
import { parseEnvironment, readEnvironmentFile } from '../parse/environment.ts'
import { parseLabels } from '../parse/label.ts'
import { parseMount, parseTmpfs } from '../parse/mount.ts'
import { parseCount, parseNumber } from '../parse/number.ts'
import { refused } from '../parse/refused.ts'
import { parseSize } from '../parse/size.ts'
import { parseUlimit } from '../parse/ulimit.ts'
import { parseUser } from '../parse/user.ts'

/** The flags that describe the task itself, as they were typed. */
export type TaskOptions = {
  readonly cpu?: string
  readonly cpus?: string
  readonly cpuset?: string
  readonly memory?: string
  readonly pids?: string
  readonly timeout?: string
  readonly maxOutput?: string
  readonly user?: string
  readonly group?: string
  readonly env?: readonly string[]
  readonly envFile?: readonly string[]
  readonly label?: readonly string[]
  readonly ulimit?: readonly string[]
  readonly capAdd?: readonly string[]
  readonly seccomp?: string
  readonly network?: string
  readonly cwd?: string
  readonly hostname?: string
  readonly mount?: readonly string[]
  readonly tmpfs?: readonly string[]
  readonly logMaxSize?: string
  readonly logMaxFiles?: string
  readonly interactive?: boolean
  readonly interpolate?: boolean
}

/** The limits that were asked for; null when none was, so that none is reported. Throws INVALID_ARGUMENT. */
export function resourcesOf({
  cpu,
  cpus,
  cpuset,
  memory,
  pids,
  timeout,
  maxOutput,
  ulimit,
}: TaskOptions): Resources | null {
  const resources: Resources = {
    ...(cpu !== undefined && { cpu: parseCount('--cpu', cpu) }),
    ...(cpus !== undefined && {
      cpuLimit: parseNumber('--cpus', cpus, 'a number of cores, such as 0.5 or 2'),
    }),
    ...(cpuset !== undefined && { cpuset }),
    ...(memory !== undefined && { memoryBytes: parseSize('--memory', memory) }),
    ...(pids !== undefined && pids !== 'max' && { pids: parseCount('--pids', pids) }),
    ...(ulimit !== undefined && { rlimits: Object.assign({}, ...ulimit.map(parseUlimit)) }),
    ...(maxOutput !== undefined && { outputBytes: parseSize('--max-output', maxOutput) }),
    ...(timeout !== undefined && { wallTimeMs: parseDuration('--timeout', timeout) }),
  }
  return Object.keys(resources).length === 0 ? null : resources
}

/** Everything of the command but program and arguments. Throws INVALID_ARGUMENT. */
export function commandOf({
  user,
  group,
  env = [],
  envFile = [],
  label,
  capAdd,
  seccomp,
  network,
  cwd,
  hostname,
  mount,
  tmpfs,
  logMaxSize,
  logMaxFiles,
  interactive,
  interpolate,
}: TaskOptions): Partial<Command> {
  return {
    env: parseEnvironment([...envFile.flatMap(readEnvironmentFile), ...env]),
    ...(label !== undefined && { labels: parseLabels(label) }),
    ...(capAdd !== undefined && { capabilities: capAdd.map(parseCapability) }),
    ...(seccomp !== undefined && { seccomp: parseSeccomp(seccomp) }),
    ...(user !== undefined && parseUser(user)),
    ...(group !== undefined && { group }),
    ...(network !== undefined && { network: parseNetwork(network) }),
    ...(cwd !== undefined && { cwd }),
    ...(hostname !== undefined && { hostname }),
    ...(mount !== undefined && { mounts: mount.map(parseMount) }),
    ...(tmpfs !== undefined && { tmpfs: tmpfs.map(parseTmpfs) }),
    ...rotationOf(logMaxSize, logMaxFiles),
    ...(interactive && { stdin: process.stdin }),
    ...(interpolate && { interpolate }),
  }
}

function rotationOf(size: string | undefined, files: string | undefined): Pick<Command, 'logs'> {
  if (size === undefined && files === undefined) return {}
  if (size === undefined)
    throw new HoldfastError('INVALID_ARGUMENT', '--log-max-files needs --log-max-size: files of which size?')
  return {
    logs: {
      maxBytes: parseSize('--log-max-size', size),
      maxFiles: files === undefined ? usualFiles : parseCount('--log-max-files', files),
    },
  }
}

const usualFiles = 5

function parseSeccomp(text: string): 'default' | 'off' {
  if (text !== 'default' && text !== 'off') throw refused('--seccomp', text, 'default or off')
  return text
}

/** As capabilities(7) writes them, or without CAP_ and in any case. */
function parseCapability(text: string): string {
  const name = text.toUpperCase()
  return name.startsWith('CAP_') ? name : `CAP_${name}`
}

function parseNetwork(text: string): 'host' | 'none' {
  if (text !== 'host' && text !== 'none') throw refused('--network', text, 'host or none')
  return text
}
