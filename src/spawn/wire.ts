export { parseReply, type Reply, ReplyReader } from './reply.ts'

import { invalidArgument } from '../invalid-argument.ts'
import { type Joined, refuseNul } from './refuse-nul.ts'
import { type ScalarField, scalarFields, scalars } from './scalars.ts'
import type { LaunchSpec } from './spec.ts'
import { pushMount, sharedRoot } from './wire-mounts.ts'

const largestFrame = 64 * 1024 * 1024

/**
 * A launch request as one frame of docs/native-protocol.md. Throws INVALID_ARGUMENT for a NUL in any string,
 * and when the frame would be over 64 MiB.
 */
export function encodeLaunch(id: number, spec: LaunchSpec): Uint8Array {
  const shared = spec.rootShared > 0 ? sharedRoot(spec) : null
  const fields = launchFields(id, spec, shared)
  const body = fields.join('\0')
  const { secrets = [] } = spec
  const textLength = Buffer.byteLength(body) + 1
  const length = textLength + secrets.reduce((sum, secret) => sum + lengthOf(secret), 0)
  if (length > largestFrame) {
    throw invalidArgument(
      'command',
      Symbol(`${length} bytes`),
      `${largestFrame} bytes in all`,
      'pass large data in a file below the task directory instead of arguments or environment',
    )
  }
  refuseNul(fields, body, shared)
  const frame = Buffer.allocUnsafe(4 + length)
  frame.writeUInt32LE(length, 0)
  frame.write(body, 4, 'utf8')
  frame[4 + textLength - 1] = 0
  let end = 4 + textLength
  for (const secret of secrets) end = writeSecret(frame, end, secret)
  return frame
}

type Secret = NonNullable<LaunchSpec['secrets']>[number]

const lengthOf = ({ name, bytes }: Secret): number =>
  'secret'.length + 1 + Buffer.byteLength(name) + 1 + 2 * bytes.length + 1

/** Last, where the other side wipes them, and never as a string, which nobody here could wipe. */
function writeSecret(frame: Buffer, start: number, { name, bytes }: Secret): number {
  let end = start + frame.write(`secret\0${name}\0`, start, 'utf8')
  for (const byte of bytes) {
    frame[end++] = hexDigits.charCodeAt(byte >> 4)
    frame[end++] = hexDigits.charCodeAt(byte & 15)
  }
  frame[end++] = 0
  return end
}

const hexDigits = '0123456789abcdef'

/** A request that is refused at once: whoever refuses it lives. `failed ID request ...` is the answer. */
export function encodeQuestion(id: number): Uint8Array {
  const body = Buffer.from(`alive\0${id}\0`)
  const frame = Buffer.alloc(4 + body.length)
  frame.writeUInt32LE(body.length, 0)
  body.copy(frame, 4)
  return frame
}

/**
 * The fields of a launch, by who writes them. One that nobody writes does not compile;
 * test/spawn/options.test.ts has the names.
 */
type ProgramField = 'dir' | 'path' | 'argv' | 'env' | 'cwd' | 'umask' | 'credentials'
type StreamField =
  'stdin' | 'stdinOpen' | 'stdout' | 'stderr' | 'donor' | 'logRotation' | 'collected' | 'plainLogs'
type ProcessField =
  | 'terminal'
  | ScalarField
  | 'rlimits'
  | 'wallTimeMs'
  | 'outputBytes'
  | 'graceMs'
  | 'holdMs'
  | 'durable'
  | 'lifeline'
type CgroupField = 'cgroups' | 'deferredCgroups' | 'oomFile' | 'oom' | 'freezer'
type IsolationField =
  | 'inside'
  | 'namespaces'
  | 'networkPath'
  | 'egress'
  | 'hostname'
  | 'root'
  | 'rootShared'
  | 'secrets'
  | 'capabilities'
  | 'noNewPrivileges'
  | 'seccomp'
  | 'offline'
  | 'landlock'
type Unwritten = Exclude<
  keyof LaunchSpec,
  ProgramField | StreamField | ProcessField | CgroupField | IsolationField
>
const _nothingIsUnwritten = {} satisfies Record<Unwritten, true>

function launchFields(id: number, spec: LaunchSpec, shared: Joined | null): string[] {
  const fields = ['launch', `${id}`]
  pushProgram(fields, spec)
  pushStreams(fields, spec)
  pushProcess(fields, spec)
  pushCgroups(fields, spec)
  pushIsolation(fields, spec, shared)
  return fields
}

function pushProgram(fields: string[], spec: Pick<LaunchSpec, ProgramField>): void {
  fields.push('dir', spec.dir, 'path', spec.path)
  for (const argument of spec.argv) fields.push('arg', argument)
  for (const variable of spec.env) fields.push('env', variable)
  fields.push('cwd', spec.cwd, 'umask', octal(spec.umask))
  if (spec.credentials !== null) {
    fields.push('credentials', `${spec.credentials.uid}`, `${spec.credentials.gid}`)
    for (const group of spec.credentials.groups) fields.push('group', `${group}`)
  }
}

function pushStreams(fields: string[], spec: Pick<LaunchSpec, StreamField>): void {
  fields.push(
    'stdin',
    spec.stdin.base ?? '',
    spec.stdin.path,
    'stdout',
    spec.stdout.base ?? '',
    spec.stdout.path,
  )
  fields.push('stderr', spec.stderr.base ?? '', spec.stderr.path)
  if (spec.stdinOpen) fields.push('stdin-open', '1')
  if (spec.donor) fields.push('donor', `${spec.donor.pid}`, `${spec.donor.startTime}`)
  if (spec.logRotation !== null)
    fields.push('log-rotation', `${spec.logRotation.maxBytes}`, `${spec.logRotation.maxFiles}`)
  if (spec.logRotation?.numbering === 'increment') fields.push('log-mode', 'increment')
  else if (spec.collected) fields.push('log-mode', 'collected')
  for (const stream of spec.plainLogs ?? []) fields.push('log-plain', stream)
}

function pushProcess(fields: string[], spec: Pick<LaunchSpec, ProcessField>): void {
  if (spec.terminal) fields.push('terminal', `${spec.terminal.rows}`, `${spec.terminal.columns}`)
  for (const field of scalarFields)
    if (spec[field] !== null) fields.push(scalars[field].option, `${spec[field]}`)
  for (const { name, soft, hard } of spec.rlimits) fields.push('rlimit', name, rlimit(soft), rlimit(hard))
  if (spec.wallTimeMs !== null) fields.push('wall', `${spec.wallTimeMs}`)
  if (spec.outputBytes !== null) fields.push('output-limit', `${spec.outputBytes}`)
  fields.push('grace', `${spec.graceMs}`, 'durable', flag(spec.durable))
  if (spec.holdMs) fields.push('hold', `${spec.holdMs}`)
  if (spec.lifeline !== null) fields.push('lifeline', spec.lifeline)
}

function pushCgroups(fields: string[], spec: Pick<LaunchSpec, CgroupField>): void {
  for (const { dir, external, files } of spec.cgroups) {
    fields.push(external ? 'cgroup-external' : 'cgroup', dir)
    for (const { name, value } of files) fields.push('cgroup-file', name, value)
  }
  for (const dir of spec.deferredCgroups ?? []) fields.push('cgroup-deferred', dir)
  if (spec.oomFile !== null) fields.push('oom-file', spec.oomFile)
  if (spec.oom) fields.push('oom', spec.oom)
  if (spec.freezer !== null) fields.push('freezer', spec.freezer)
}

function pushIsolation(
  fields: string[],
  spec: Pick<LaunchSpec, IsolationField>,
  shared: Joined | null,
): void {
  if (spec.inside) {
    const { alive, leader, init } = spec.inside
    fields.push('inside', alive)
    if (leader !== null) fields.push('inside-leader', `${leader.pid}`, `${leader.startTime}`)
    if (init !== null) fields.push('inside-init', `${init.pid}`, `${init.startTime}`)
  }
  for (const namespace of spec.namespaces) fields.push('namespace', namespace)
  if (spec.networkPath !== null) fields.push('network-path', spec.networkPath)
  if (spec.egress !== null) {
    fields.push('egress', `${spec.egress.port}`)
    for (const rule of spec.egress.rules) fields.push('egress-allow', rule)
  }
  if (spec.hostname !== null) fields.push('hostname', spec.hostname)
  if (shared !== null) fields.push(shared.text)
  for (const operation of shared === null ? spec.root : spec.root.slice(spec.rootShared))
    pushMount(fields, operation)
  if (spec.capabilities !== null) fields.push('capabilities', spec.capabilities.join(','))
  fields.push('no-new-privileges', flag(spec.noNewPrivileges), 'seccomp', flag(spec.seccomp))
  if (spec.offline === true) fields.push('offline', flag(true))
  for (const { at, access } of spec.landlock?.rules ?? []) fields.push('landlock', at, access)
  for (const scope of spec.landlock?.scopes ?? []) fields.push('landlock-scope', scope)
}

const octal = (mode: number): string => mode.toString(8)
const flag = (on: boolean): string => (on ? '1' : '0')
/** RLIM_INFINITY has no number of its own in JSON: -1 stands for it there and here. */
const rlimit = (value: number): string => (value === Number.POSITIVE_INFINITY ? '-1' : `${value}`)
