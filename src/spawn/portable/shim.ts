/**
 * The portable shim: one Node process per task, the task's parent. It honours docs/native-protocol.md as far as Node can:
 * no namespaces, no cgroups, no rusage (Node reaps its children itself), and orphans that left the process group escape it.
 *
 * It reads its LaunchSpec from standard input, answers with one line on standard output, and then lives on its own.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, constants, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { constants as osConstants, setPriority } from 'node:os'
import type { ExitRecord, StopRecord } from '../../../machines/index.ts'
import { isHeld, watchHeld } from '../alive.ts'
import { KeepAlive } from '../keep-alive.ts'
import type { LaunchSpec } from '../spec.ts'
import { bootMs } from '../boot-clock.ts'
import { makeFifos } from './fifos.ts'
import { untilGroupGone } from './group.ts'
import { type Given, heldFifos, openInput } from './log-file.ts'
import { Outputs } from './outputs.ts'
import { writeRecord } from './records.ts'
import { currentBootId, identify } from '../process-table.ts'

/** O_CLOEXEC, which Node does not name. */
const closeOnExec = 0o2000000

type Ending = { exitCode: number | null; signal: number | null; failure: ExitRecord['failure'] }

const spec = JSON.parse(readFileSync(0, 'utf8')) as LaunchSpec
/** Whose child we are. */
const supervisor = Number(process.argv[2])
let startedAt: number | null = null
/** What is measured is measured by the clock that nobody sets. */
let startedAtBoot = bootMs()
let stop: StopRecord | null = null
let wallTimeout: NodeJS.Timeout | undefined
let forceTimer: NodeJS.Timeout | null = null
let forceAt = Number.POSITIVE_INFINITY
/** The leader is gone and its group was killed: what is asked for now changes nothing, and the group's number may soon be another's. */
let isOver = false
let outputs: Outputs | null = null
/** Descriptors of the supervisor's that the task asks for: it has passed them to us in this order, from 3 on. */
const given: Given = new Map(process.argv.slice(3).map((number, index) => [Number(number), index + 3]))
/** What was killed and is not gone by then is named as a survivor; the native shim gives as long. */
const killMostMs = 10_000
/** Whoever else holds a log's pipe gets so much time after the task's end. */
const logsMostMs = 1000

run()

function run(): void {
  // A file size or processor time limit of whoever starts us is an error to be told, not our death.
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGXFSZ', 'SIGXCPU'] as const) process.on(signal, () => {})
  closeInherited()
  let child: ChildProcess
  try {
    makeFifos(`${spec.dir}/alive.tmp`, `${spec.dir}/control.tmp`)
    // Read-write, so that neither open waits for a peer; we are its writer for as long as we live.
    openSync(`${spec.dir}/alive.tmp`, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    // Only now, and first of all: who sees it without a holder takes us for dead.
    renameSync(`${spec.dir}/alive.tmp`, `${spec.dir}/alive`)
    renameSync(`${spec.dir}/control.tmp`, `${spec.dir}/control`)
    refuseOrphaned()
    child = launch()
  } catch (error) {
    fail(error)
    return
  }
  child.once('error', error => fail(error))
  child.once('spawn', () => started(child))
  child.once('exit', (exitCode, signal) => {
    const number = signal === null ? null : osConstants.signals[signal]
    ended(child.pid as number, { exitCode: signal === null ? exitCode : null, signal: number, failure: null })
  })
}

/**
 * Loading takes a while, and whoever asked may have died meanwhile. Another supervisor, having seen that death and then an empty directory,
 * has told its caller that nothing was started. Asked after the FIFOs are made: who sees the death later than that sees them.
 */
function refuseOrphaned(): void {
  if (spec.inside && !isHeld(spec.inside.alive))
    throw Object.assign(new Error('the task it was to run inside of has ended'), {
      stage: 'task',
      errno: -osConstants.errno.ESRCH,
    })
  if (process.ppid === supervisor && (spec.owner === null || isHeld(spec.owner))) return
  throw Object.assign(new Error('the supervisor ended before the task was started'), { stage: 'fork' })
}

/** What Node opens is closed on exec; what it was born with would be passed on. The flags are in octal, proc_pid_fdinfo(5). */
function closeInherited(): void {
  if (process.platform !== 'linux') return
  for (const fd of readdirSync('/proc/self/fdinfo')
    .map(Number)
    .filter(fd => fd > 2 + given.size)) {
    try {
      const flags = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
      if (flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0) closeSync(fd)
    } catch {
      // The descriptor of the listing itself.
    }
  }
}

function launch(): ChildProcess {
  const credentials = spec.credentials
  const descriptors = [
    staged('stdin', () => openInput(spec.stdin, given)),
    ...staged('log', () => (outputs = new Outputs(spec, given)).descriptors),
  ]
  staged('chdir', enterable)
  process.umask(spec.umask)
  const child = spawn(spec.path, spec.argv.slice(1), {
    argv0: spec.argv[0] ?? spec.path,
    cwd: spec.cwd,
    env: Object.fromEntries(
      spec.env.map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    ),
    stdio: descriptors,
    // Its own session and process group, so that the group can be killed without us.
    detached: true,
    ...(credentials && { uid: credentials.uid, gid: credentials.gid }),
  })
  process.umask(0o077)
  for (const fd of new Set([...descriptors, ...given.values()])) closeSync(fd)
  return child
}

/** Spawn enters the directory before it changes users, and reports a failure as one of the program. */
function enterable(): void {
  const asOther = spec.credentials !== null && process.geteuid?.() === 0
  if (asOther && spec.credentials) {
    process.setgroups?.([])
    process.setegid?.(spec.credentials.gid)
    process.seteuid?.(spec.credentials.uid)
  }
  try {
    process.chdir(spec.cwd)
  } catch (error) {
    throw Object.assign(error as Error, { path: spec.cwd })
  } finally {
    if (asOther) {
      process.seteuid?.(0)
      process.setegid?.(0)
    }
  }
  process.chdir('/')
}

function started(child: ChildProcess): void {
  const pid = child.pid as number
  startedAt = Date.now()
  startedAtBoot = bootMs()
  if (spec.nice !== null) setPriority(pid, spec.nice)
  const record = {
    format: 'holdfast.start' as const,
    version: 1 as const,
    shim: identify(process.pid) ?? { pid: process.pid, startTime: 0 },
    task: identify(pid) ?? { pid, startTime: 0 },
    init: null,
    bootId: currentBootId(),
    startedAt,
    cgroups: [],
  }
  writeRecord(spec.dir, 'start.json', record, false)
  listen(pid)
  if (spec.owner !== null) watchHeld(spec.owner, new KeepAlive(), () => force(pid, 'orphaned'))
  if (spec.inside) watchHeld(spec.inside.alive, new KeepAlive(), () => force(pid, 'orphaned'))
  // As a daemon manager would: the host is going down, or somebody wants us gone.
  process.on('SIGTERM', () => requestStop(pid, 'shutdown', osConstants.signals.SIGTERM, spec.graceMs))
  // For who cannot write into `control`: it may be gone, or be another's.
  process.on('SIGUSR2', () => force(pid, 'force'))
  if (spec.wallTimeMs !== null) wallTimer(pid, spec.wallTimeMs)
  answer(`started 1 ${process.pid} ${record.shim.startTime} ${pid} ${record.task.startTime} ${startedAt}`)
}

/** From the start on. setTimeout takes 2^31-1 ms at most and fires at once beyond. */
function wallTimer(pid: number, limitMs: number): void {
  clearTimeout(wallTimeout)
  const left = startedAtBoot + limitMs - bootMs()
  if (left > 0) wallTimeout = setTimeout(() => wallTimer(pid, limitMs), Math.min(left, 2 ** 31 - 1))
  else if (stop === null) requestStop(pid, 'timeout', osConstants.signals.SIGTERM, spec.graceMs)
}

function listen(pid: number): void {
  const fd = openSync(`${spec.dir}/control`, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  let rest = ''
  new Socket({ fd, readable: true, writable: false }).on('data', chunk => {
    const lines = (rest + chunk.toString('latin1')).split('\n')
    rest = (lines.pop() ?? '').slice(-255)
    for (const line of lines) obey(pid, line)
  })
}

function obey(pid: number, line: string): void {
  if (isOver) return
  const [, verb, first, second] = /^(signal|stop|kill|wall)(?: (\d{1,15}))?(?: (\d{1,15}))?$/.exec(line) ?? []
  if (verb === 'signal' && first) send(pid, Number(first))
  if (verb === 'stop' && first && second) requestStop(pid, 'shutdown', Number(first), Number(second))
  if (verb === 'kill') force(pid, 'force')
  if (verb === 'wall' && first) wallTimer(pid, Number(first))
}

function requestStop(pid: number, reason: StopRecord['reason'], signal: number, graceMs: number): void {
  if (isOver) return
  if (stop === null) {
    stop = { reason, signal, at: Date.now(), forcedAt: null }
    send(-pid, signal)
    send(-pid, osConstants.signals.SIGCONT)
  }
  const at = bootMs() + graceMs
  if (at >= forceAt) return
  forceAt = at
  if (forceTimer) clearTimeout(forceTimer)
  forceTimer = setTimeout(() => force(pid, 'force'), Math.min(graceMs, 2 ** 31 - 1))
}

function force(pid: number, reason: StopRecord['reason']): void {
  if (isOver) return
  const now = Date.now()
  stop = {
    ...(stop ?? { reason, signal: osConstants.signals.SIGKILL, at: now }),
    forcedAt: stop?.forcedAt ?? now,
  }
  send(-pid, osConstants.signals.SIGKILL)
}

function send(pid: number, signal: number): void {
  try {
    process.kill(pid, signal)
  } catch {
    // ESRCH: it has ended in the meantime; the exit event tells the rest.
  }
}

function ended(pid: number, ending: Ending): void {
  const exitedAt = Date.now()
  // The tree belongs to the task: what the leader left in its group ends with it.
  send(-pid, osConstants.signals.SIGKILL)
  isOver = true
  const drained = outputs?.drained(logsMostMs) ?? true
  Promise.all([untilGroupGone(pid, killMostMs), drained])
    .then(([survivors, complete]) => record(ending, exitedAt, survivors, complete && heldFifos === 0))
    // Without a record, as on a full disk, the end is concluded from our own: there is nobody to tell.
    .then(
      () => process.exit(0),
      () => process.exit(1),
    )
}

function fail(error: unknown): void {
  const { errno = 0, syscall, message, path, stage } = error as NodeJS.ErrnoException & { stage?: string }
  const detail = path ?? message
  const failure = {
    stage: stage ?? (syscall?.startsWith('spawn') ? 'exec' : 'record'),
    errno: Math.abs(errno),
    detail,
  }
  record({ exitCode: null, signal: null, failure }, Date.now(), [], false)
  answer(`failed 1 ${failure.stage} ${failure.errno} ${JSON.stringify(detail).slice(1, -1)}`)
  process.exit(0)
}

function record(
  { exitCode, signal, failure }: Ending,
  exitedAt: number,
  survivors: number[],
  logsComplete: boolean,
): void {
  const exit: ExitRecord = {
    format: 'holdfast.exit',
    version: 1,
    exitCode,
    signal,
    coreDumped: false,
    rusage: null,
    startedAt,
    exitedAt,
    oomKills: null,
    stop,
    survivors,
    logsComplete,
    failure,
  }
  writeRecord(spec.dir, 'exit.json', exit, spec.durable)
}

function staged<Value>(stage: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    throw Object.assign(error as Error, { stage })
  }
}

/** One line, then the supervisor is done with us: its pipe must not keep either side waiting. */
function answer(line: string): void {
  try {
    writeSync(1, `${line}\n`)
  } catch {
    // The supervisor is gone; the records say what it would have heard.
  }
  closeSync(1)
}
