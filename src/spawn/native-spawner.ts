import type { ChildProcess } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { ProcessIdentity } from '../../machines/index.ts'
import { HoldfastError } from '../errors.ts'
import type { Feed } from './feed.ts'
import { FifoFeed } from './fifo-feed.ts'
import type { KeepAlive, LoopHandle } from './keep-alive.ts'
import { descriptorsOf, lend } from './lender.ts'
import { nativeMissing } from './native-hint.ts'
import { identify } from './process-table.ts'
import { assertSpareDescriptors } from './spare-descriptors.ts'
import type { Scope, ScopedStart, Scoping } from './scope.ts'
import { type Launched, LaunchFailed, type Spawner, SpawnerDied, type WatchEnd } from './spawner.ts'
import type { LaunchSpec } from './spec.ts'
import { spawnFailed, startProcess } from './start-process.ts'
import { encodeLaunch, encodeQuestion, type Reply, ReplyReader } from './wire.ts'

type Options = { readonly rootless?: boolean; readonly scoping?: Scoping }

type Pending = { resolve(launched: Launched): void; reject(error: Error): void }

/**
 * One warm native spawner, started at the first launch and again when it has died. Node forks once for it and never for a task:
 * a fork of Node blocks its event loop for as long as the size of its memory asks, a fork of the spawner does not.
 */
export class NativeSpawner implements Spawner {
  readonly #program: string
  readonly #rootless: boolean
  readonly #arguments: readonly string[]
  readonly #keepAlive: KeepAlive
  readonly #scoping: Scoping
  #session: Session | null = null
  #scope: Promise<Scope | null> = Promise.resolve(null)
  /** Why there will be no further try to get a scope. */
  #refused: Scope | null = null
  #closed = false
  restarts = 0

  /** `rootless`: it enters a user namespace first, in which its shims are root. `scoping`: how it comes into a unit of its own. */
  constructor(program: string, keepAlive: KeepAlive, { rootless = false, scoping = noScope }: Options = {}) {
    this.#program = program
    this.#rootless = rootless
    this.#arguments = rootless ? ['spawner', 'rootless'] : ['spawner']
    this.#keepAlive = keepAlive
    this.#scoping = scoping
  }

  async scope(): Promise<Scope | null> {
    // Where nobody manages units, a start that is refused is refused before there is a spawner.
    if (this.#session === null && this.#scoping(this.#program, this.#arguments) === null) return null
    const session = this.#open()
    const scope = await this.#scope
    // It died while we waited: what has been found out was of that one.
    return session.over && !this.#closed && session.start !== null ? this.scope() : scope
  }

  prepare(): number | null {
    return this.#open().pid
  }

  feed(dir: string): Feed {
    return new FifoFeed(dir)
  }

  async launch(spec: LaunchSpec): Promise<Launched> {
    // The request names cgroups in the scope of the one that died, which went with it.
    if (this.#session?.over && this.#session.start !== null)
      throw new SpawnerDied('the spawner died before it could be asked')
    const session = this.#open()
    const lent = this.#rootless ? descriptorsOf(spec) : []
    return lent.length === 0 ? session.launch(spec) : this.#launchLending(session, spec, lent)
  }

  /** Until the answer: by then the shim has opened them for itself. */
  async #launchLending(session: Session, spec: LaunchSpec, numbers: readonly number[]): Promise<Launched> {
    const spawner = await session.settled()
    if (spawner === null) throw new SpawnerDied('the spawner died before it could be asked')
    const lender = await lend(this.#program, spawner, numbers)
    try {
      // Whoever is asked now would never answer.
      if (session.over) throw new SpawnerDied('the spawner died before it could be asked')
      return await session.launch({ ...spec, lender: lender.process })
    } finally {
      await lender.close()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#session?.close()
  }

  #open(): Session {
    if (this.#closed)
      throw new HoldfastError('INVALID_STATE', 'the supervisor is closed: it starts nothing any more')
    if (this.#session !== null && !this.#session.over) return this.#session
    if (this.#session?.over) this.restarts++
    const start = this.#refused === null ? this.#scoping(this.#program, this.#arguments) : null
    this.#session = new Session([this.#program, ...this.#arguments], this.#keepAlive, start)
    this.#scope = start === null ? Promise.resolve(this.#refused) : this.#settled(this.#session, start, tries)
    return this.#session
  }

  /** A spawner that did not get its scope goes, and another is tried; after the last try one without, so that tasks can be started all the same. */
  async #settled(session: Session, start: ScopedStart, triesLeft: number): Promise<Scope | null> {
    const complaint = await session.ready(scopeMs)
    const { pid } = session
    const scope = complaint === null && pid !== null ? start.verify(pid) : null
    if (scope !== null && 'unit' in scope) return scope
    await session.close()
    if (this.#closed) return null
    const next = triesLeft > 1 ? this.#scoping(this.#program, this.#arguments) : null
    this.#session = new Session([this.#program, ...this.#arguments], this.#keepAlive, next)
    if (next !== null) return this.#settled(this.#session, next, triesLeft - 1)
    this.#refused = scope ?? {
      reason: complaint ?? 'the spawner died at once',
      hint: `systemd-run --scope true`,
    }
    return this.#refused
  }
}

const noScope: Scoping = () => null

/** How often a scope is asked for, and how many milliseconds one may take. */
const tries = 2
const scopeMs = 10_000

/** The life of one spawner process. */
class Session {
  /** How it came into its scope; null: it was started as it stands. */
  readonly start: ScopedStart | null
  readonly #child: ReturnType<typeof startSpawner>
  readonly #pending = new Map<number, Pending>()
  readonly #watched = new Map<number, (end: WatchEnd) => void>()
  readonly #forget: () => void
  readonly #finished: Promise<void>
  readonly #ready: Promise<void>
  #sayReady = (): void => {}
  #sayFinished = (): void => {}
  #dog: NodeJS.Timeout | null = null
  #force: NodeJS.Timeout | null = null
  /** How often in a row it has been looked for the answer to a question, in vain; null: none is due. */
  #silent: number | null = null
  #isReady = false
  #complaints = ''
  #lastId = 0
  over = false

  constructor(command: readonly string[], keepAlive: KeepAlive, start: ScopedStart | null) {
    this.start = start
    this.#child = startSpawner(start?.command ?? command, start?.env ?? {})
    this.#ready = new Promise(resolve => (this.#sayReady = resolve))
    const { stdin, stdout, stderr } = this.#child
    const replies = new ReplyReader()
    stdout.on('data', (chunk: Buffer) => {
      for (const reply of replies.push(chunk)) this.#take(reply)
    })
    stderr.on('data', (chunk: Buffer) => {
      this.#complaints = (this.#complaints + chunk.toString()).slice(-2000)
    })
    // EPIPE when it dies under our hands: the end of its output says the same, in order.
    stdin.on('error', () => {})
    const removals = [
      keepAlive.add(this.#child as unknown as LoopHandle),
      ...[stdin, stdout, stderr].map(stream => keepAlive.addStream(stream)),
    ]
    this.#forget = () => {
      for (const remove of removals) remove()
    }
    this.#finished = new Promise(resolve => (this.#sayFinished = resolve))
    // Not before the end of its output: every starting shim holds a copy of it until it has answered.
    this.#child.once('close', () => this.#end(null))
    this.#child.once('error', error => {
      if (this.#child.pid === undefined) this.#end(error)
    })
    this.#guard()
  }

  get pid(): number | null {
    return this.over ? null : (this.#child.pid ?? null)
  }

  /** The process, once it is in the user namespace that is to be its own; null when it has died. */
  async settled(): Promise<ProcessIdentity | null> {
    await Promise.race([this.#ready, this.#finished])
    return this.pid === null ? null : identify(this.pid)
  }

  /** Null once the program has said that it runs; else why it does not. */
  async ready(limitMs: number): Promise<string | null> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#child.kill('SIGKILL')
    }, limitMs)
    const runs = await Promise.race([this.#ready.then(() => true), this.#finished.then(() => false)])
    clearTimeout(timer)
    if (runs) return null
    if (late) return `systemd-run did not answer in ${limitMs / 1000} s`
    return this.#complaints.trim() || 'systemd-run could not be started'
  }

  launch(spec: LaunchSpec): Promise<Launched> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      const frame = encodeLaunch(id, spec)
      this.#pending.set(id, { resolve, reject })
      this.#child.stdin.write(frame)
      this.#guard()
    })
  }

  async close(): Promise<void> {
    this.#child.stdin.end()
    if (!this.over) this.#force ??= setTimeout(() => this.#kill(), closeMs)
    await this.#finished
  }

  /** One that hangs (stopped, frozen, in a system call that does not return) is as good as dead, and is made so: nobody may wait for it for ever. */
  #guard(): void {
    this.#dog ??= setInterval(() => {
      // What it has said meanwhile is read first, however long this program was busy.
      setImmediate(() => this.#look())
    }, lookMs).unref()
  }

  #look(): void {
    if (this.over || (this.#pending.size === 0 && this.#watched.size === 0 && this.#isReady)) {
      if (this.#dog !== null) clearInterval(this.#dog)
      this.#dog = null
    } else if (this.#silent === null) {
      this.#silent = 0
      this.#child.stdin.write(encodeQuestion(++this.#lastId))
    } else if (++this.#silent === mostSilent) this.#kill()
  }

  /** The rest is as when it dies by itself; a shim that is stopped, too, may hold its output open, and is not waited for. */
  #kill(): void {
    this.#child.kill('SIGKILL')
    if (this.#force !== null) clearTimeout(this.#force)
    this.#force = setTimeout(() => {
      this.#child.stdout.destroy()
      this.#end(null)
    }, closeMs)
  }

  #take(reply: Reply): void {
    this.#silent = null
    if (reply.kind === 'ready') this.#becomeReady()
    if (reply.kind === 'ready' || reply.kind === 'unknown') return
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    if (reply.kind === 'started') {
      // Registered here, in the turn the reply is read: `gone` may be in the same chunk.
      const end = new Promise<WatchEnd>(resolve => this.#watched.set(reply.id, resolve))
      pending?.resolve({ end })
    } else if (reply.kind === 'failed') {
      pending?.reject(new LaunchFailed(reply.stage, reply.errno, reply.detail))
    } else {
      this.#watched.get(reply.id)?.('gone')
      this.#watched.delete(reply.id)
      pending?.reject(new SpawnerDied('the shim died before it could answer'))
    }
  }

  #becomeReady(): void {
    this.#isReady = true
    this.#sayReady()
  }

  #end(result: unknown): void {
    if (this.over) return
    this.over = true
    if (this.#dog !== null) clearInterval(this.#dog)
    if (this.#force !== null) clearTimeout(this.#force)
    this.#sayFinished()
    this.#forget()
    const error = this.#explain(result)
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
    for (const end of this.#watched.values()) end('unwatched')
    this.#watched.clear()
  }

  #explain(result: unknown): Error {
    const { code } = (result ?? {}) as NodeJS.ErrnoException
    const complaints = this.#complaints.trim()
    if (this.#child.pid === undefined) {
      if (this.start === null && code !== undefined && cannotRun.has(code))
        return nativeMissing(`it cannot be executed (${code})`)
      return spawnFailed(result)
    }
    const { exitCode } = this.#child
    // What a dynamic loader says that does not find what the program was linked with.
    if (exitCode === loaderFailed && !this.#isReady && this.start === null)
      return nativeMissing(`it does not run here: ${complaints || `it ended with ${exitCode}`}`)
    const why = this.#silent === mostSilent ? 'the spawner did not answer any more' : 'the spawner died'
    return new SpawnerDied(`${why}${complaints ? `: ${complaints}` : ''}`)
  }
}

/** How often a spawner that owes an answer is looked after, and how many looks in vain it is given. Milliseconds. */
const lookMs = 2000
const mostSilent = 4
/** How long a spawner that is to end, or was killed, is waited for. */
const closeMs = 5000

const loaderFailed = 127

/** execve(2), of the program itself and not of the state this process is in. */
const cannotRun = new Set(['ENOENT', 'EACCES', 'EPERM', 'ENOEXEC'])

type SpawnerProcess = ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable }

function startSpawner(
  [file = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): SpawnerProcess {
  assertSpareDescriptors()
  // The shims are its children; it goes by itself when its standard input ends. It must not keep a directory busy for as long as it lives.
  const child = startProcess(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...env }, cwd: '/' })
  // Out of descriptors after all.
  if (!child.stdout) throw spawnFailed(Object.assign(new Error('no descriptors'), { code: 'EMFILE' }))
  return child as SpawnerProcess
}
