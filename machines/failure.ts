import { hintFor } from './errno-hints.ts'
import { type Failure, type FailureCode, failureCode } from './outcome-types.ts'
import type { ExitRecord } from './shim-records.ts'

/**
 * The name of an errno of this system, such as `ENOENT` for 2; machines/ may not ask node:os itself. Take it
 * from `os.constants.errno`: `util.getSystemErrorName` knows no ENOEXEC.
 */
export type ErrnoName = (errno: number) => string

/**
 * What the shim wrote down about a start that failed, in words: code, stage, errno, path and, where known,
 * the mend.
 */
export function failureOf(record: NonNullable<ExitRecord['failure']>, errnoName: ErrnoName): Failure {
  const { stage, detail } = record
  const errno = record.errno === 0 ? undefined : commonName(errnoName(record.errno))
  const path = detail.startsWith('/') ? detail : undefined
  const hint = hintFor(stage, errno)
  return {
    code: codeFor(stage, errno),
    message: sentence(stage, detail, errno),
    stage,
    ...(errno !== undefined && { errno }),
    ...(path !== undefined && { path }),
    ...(hint !== undefined && { hint }),
  }
}

/**
 * Whatever an actor rejected with, as JSON: a HoldfastError, a Failure, `{ failure }`, a plain Error, or
 * anything else. Never throws.
 */
export function failureFrom(error: unknown, fallback: FailureCode = 'START_FAILED'): Failure {
  if (!isObject(error)) return { code: fallback, message: String(error) }
  const source = isObject(error.failure) ? error.failure : error
  const { code, message } = source
  const details = Object.fromEntries(detailNames.flatMap(name => textEntry(source, name)))
  const text = typeof message === 'string' && message !== '' ? message : 'failed without a message'
  if (isFailureCode(code)) return { code, message: text, ...details }
  // Node's own errors carry the errno's name in `code`, and a number in `errno`.
  return { code: fallback, message: text, ...details, ...(typeof code === 'string' && { errno: code }) }
}

/** Two names for one number: a reverse look-up may come upon the rarer one. */
function commonName(name: string): string {
  if (name === 'EWOULDBLOCK') return 'EAGAIN'
  return name === 'ENOTSUP' ? 'EOPNOTSUPP' : name
}

const isolationStages = new Set([
  'namespace',
  'network',
  'mount',
  'overlay',
  'hostname',
  'capabilities',
  'seccomp',
  'isolation',
])
const limitStages = new Set(['cgroup', 'limit'])

function codeFor(stage: string, errno: string | undefined): FailureCode {
  if (stage === 'user' && (errno === 'EPERM' || errno === 'EACCES')) return 'PERMISSION'
  if (limitStages.has(stage)) return 'LIMIT_FAILED'
  if (isolationStages.has(stage)) return 'ISOLATION_FAILED'
  return 'START_FAILED'
}

const doing = new Map(
  Object.entries({
    request: 'The launch request was refused',
    fork: 'No process could be made for the task',
    record: "The task's records could not be written",
    log: 'A log file could not be opened',
    stdin: 'The standard input could not be opened',
    cgroup: "The task's cgroup could not be set up",
    limit: 'A limit could not be set',
    namespace: 'A namespace could not be made',
    network: "The task's network could not be set up",
    mount: "The task's root could not be built",
    overlay: 'The overlay over the workspace could not be mounted',
    hostname: 'The hostname could not be set',
    user: "The task's user could not be taken on",
    capabilities: 'The capabilities could not be dropped',
    seccomp: 'The system call filter could not be installed',
    isolation: 'The isolation that was asked for is not in force',
    chdir: 'The working directory could not be entered',
    exec: 'The program could not be executed',
    task: 'Nothing could be run inside the task',
  }),
)

function sentence(stage: string, detail: string, errno: string | undefined): string {
  const what = doing.get(stage) ?? `The start failed at stage ${stage}`
  return [what, detail, errno].filter(part => part !== undefined && part !== '').join(': ')
}

const detailNames = ['stage', 'errno', 'path', 'hint'] as const

function isFailureCode(code: unknown): code is FailureCode {
  return failureCode.fault(code) === null
}

function textEntry(error: Record<string, unknown>, name: string): [string, string][] {
  const value = error[name]
  return typeof value === 'string' ? [[name, value]] : []
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
