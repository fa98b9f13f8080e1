import type { ProcessIdentity } from '../../machines/index.ts'
import type { KeepAlive } from './keep-alive.ts'
import { nativeMissing } from './native-hint.ts'
import { identify } from './process-table.ts'
import type { ScopedStart } from './scope.ts'
import {
  type Held,
  type Launched,
  LaunchFailed,
  SpawnerDied,
  type TaskEnd,
  type WatchEnd,
} from './spawner.ts'
import type { SpawnerProcess } from './spawner-process.ts'
import type { LaunchSpec } from './spec.ts'
import { spawnFailed } from './start-process.ts'
import { encodeLaunch, encodeQuestion, type Reply, ReplyReader } from './wire.ts'

type Pending = {
  readonly resolve: (launched: Launched) => void
  readonly reject: (error: Error) => void
  readonly held: Held
}

type Watched = { ended(end: TaskEnd): void; gone(end: WatchEnd): void }

/** The life of one spawner process. */
export class SpawnerSession {
  /** How it came into its scope; null: it was started as it stands. */
  readonly start: ScopedStart | null
  readonly #child: SpawnerProcess
  readonly #pending = new Map<number, Pending>()
  readonly #watched = new Map<number, Watched>()
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

  constructor(child: SpawnerProcess, keepAlive: KeepAlive, start: ScopedStart | null) {
    this.start = start
    this.#child = child
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
      keepAlive.add(this.#child),
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
  async identity(): Promise<ProcessIdentity | null> {
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

  launch(spec: LaunchSpec, held: Held = () => {}): Promise<Launched> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      const frame = encodeLaunch(id, spec)
      this.#pending.set(id, { resolve, reject, held })
      // It may hold secrets, and the environment of a task is often one.
      this.#child.stdin.write(frame, () => frame.fill(0))
      this.#guard()
    })
  }

  async close(): Promise<void> {
    this.#child.stdin.end()
    if (!this.over) this.#force ??= setTimeout(() => this.#kill(), closeMs)
    await this.#finished
  }

  /**
   * One that hangs (stopped, frozen, in a system call that does not return) is as good as dead, and is made
   * so: nobody may wait for it for ever.
   */
  #guard(): void {
    this.#dog ??= setInterval(() => {
      // What it has said meanwhile is read first, however long this program was busy.
      setImmediate(() => this.#checkAlive())
    }, checkMs).unref()
  }

  #checkAlive(): void {
    if (this.over || (this.#pending.size === 0 && this.#watched.size === 0 && this.#isReady)) {
      if (this.#dog !== null) clearInterval(this.#dog)
      this.#dog = null
    } else if (this.#silent === null) {
      this.#silent = 0
      this.#child.stdin.write(encodeQuestion(++this.#lastId))
    } else if (++this.#silent === maxSilent) this.#kill()
  }

  /**
   * The rest is as when it dies by itself; a shim that is stopped, too, may hold its output open, and is not
   * waited for.
   */
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
    if (reply.kind === 'held') {
      pending?.held()
      return
    }
    this.#pending.delete(reply.id)
    if (reply.kind === 'started') {
      // Registered here, in the turn the reply is read: the end may be in the same chunk.
      pending?.resolve(this.#watch(reply.id))
    } else if (reply.kind === 'failed') {
      pending?.reject(new LaunchFailed(reply.stage, reply.errno, reply.detail))
    } else if (reply.kind === 'ended') {
      this.#watched.get(reply.id)?.ended('recorded')
    } else {
      this.#over(this.#watched.get(reply.id), 'gone')
      this.#watched.delete(reply.id)
      pending?.reject(new SpawnerDied('the shim died before it could answer'))
    }
  }

  #watch(id: number): Launched {
    let ended: Watched['ended'] = () => {}
    let gone: Watched['gone'] = () => {}
    const launched = {
      end: new Promise<TaskEnd>(resolve => (ended = resolve)),
      gone: new Promise<WatchEnd>(resolve => (gone = resolve)),
    }
    this.#watched.set(id, { ended, gone })
    return launched
  }

  #over(watched: Watched | undefined, end: WatchEnd): void {
    watched?.ended(end)
    watched?.gone(end)
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
    for (const watched of this.#watched.values()) this.#over(watched, 'unwatched')
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
    const why = this.#silent === maxSilent ? 'the spawner did not answer any more' : 'the spawner died'
    return new SpawnerDied(`${why}${complaints ? `: ${complaints}` : ''}`)
  }
}

/**
 * How often a spawner that owes an answer is looked after, and how many looks in vain it is given.
 * Milliseconds.
 */
const checkMs = 2000
const maxSilent = 4
/** How long a spawner that is to end, or was killed, is waited for. */
const closeMs = 5000

const loaderFailed = 127

/** execve(2), of the program itself and not of the state this process is in. */
const cannotRun = new Set(['ENOENT', 'EACCES', 'EPERM', 'ENOEXEC'])
