import { execa } from 'execa'
import { HoldfastError } from '../errors.ts'
import type { KeepAlive, LoopHandle } from './keep-alive.ts'
import { assertSpareDescriptors } from './spare-descriptors.ts'
import { type Launched, LaunchFailed, type Spawner, SpawnerDied, type WatchEnd } from './spawner.ts'
import type { LaunchSpec } from './spec.ts'
import { encodeLaunch, type Reply, ReplyReader } from './wire.ts'

type Pending = { resolve(launched: Launched): void; reject(error: Error): void }

/**
 * One warm native spawner, started at the first launch and again when it has died. Node forks once for it and never for a task:
 * a fork of Node blocks its event loop for as long as the size of its memory asks, a fork of the spawner does not.
 */
export class NativeSpawner implements Spawner {
  readonly #program: string
  readonly #rootless: boolean
  readonly #keepAlive: KeepAlive
  #session: Session | null = null
  #closed = false
  restarts = 0

  /** `rootless`: it enters a user namespace first, in which its shims are root. */
  constructor(program: string, keepAlive: KeepAlive, { rootless = false } = {}) {
    this.#program = program
    this.#rootless = rootless
    this.#keepAlive = keepAlive
  }

  prepare(): number | null {
    return this.#open().pid
  }

  async launch(spec: LaunchSpec): Promise<Launched> {
    return this.#open().launch(spec)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#session?.close()
  }

  #open(): Session {
    if (this.#closed)
      throw new HoldfastError('INVALID_STATE', 'the supervisor is closed: it starts nothing any more')
    if (this.#session?.over) this.restarts++
    if (this.#session === null || this.#session.over)
      this.#session = new Session(this.#program, this.#rootless, this.#keepAlive)
    return this.#session
  }
}

/** The life of one spawner process. */
class Session {
  readonly #child: ReturnType<typeof startSpawner>
  readonly #pending = new Map<number, Pending>()
  readonly #watched = new Map<number, (end: WatchEnd) => void>()
  readonly #forget: () => void
  readonly #finished: Promise<void>
  #complaints = ''
  #lastId = 0
  over = false

  constructor(program: string, rootless: boolean, keepAlive: KeepAlive) {
    this.#child = startSpawner(program, rootless)
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
    const ended = new Promise<void>(resolve => stdout.once('close', () => resolve()))
    this.#finished = Promise.all([ended, this.#child]).then(([, result]) => this.#end(result.cause ?? result))
  }

  get pid(): number | null {
    return this.over ? null : (this.#child.pid ?? null)
  }

  launch(spec: LaunchSpec): Promise<Launched> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      const frame = encodeLaunch(id, spec)
      this.#pending.set(id, { resolve, reject })
      this.#child.stdin.write(frame)
    })
  }

  async close(): Promise<void> {
    this.#child.stdin.end()
    await this.#finished
  }

  #take(reply: Reply): void {
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

  #end(result: unknown): void {
    this.over = true
    this.#forget()
    const error = this.#explain(result)
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
    for (const end of this.#watched.values()) end('unwatched')
    this.#watched.clear()
  }

  #explain(result: unknown): Error {
    const { code } = (result ?? {}) as NodeJS.ErrnoException
    if (this.#child.pid !== undefined) {
      return new SpawnerDied(`the spawner died${this.#complaints ? `: ${this.#complaints.trim()}` : ''}`)
    }
    return new HoldfastError('START_FAILED', `the spawner could not be started: ${code ?? String(result)}`, {
      stage: 'spawner',
      errno: code,
      cause: result,
      hint: spawnerHints[code ?? ''],
    })
  }
}

function startSpawner(program: string, rootless: boolean) {
  assertSpareDescriptors()
  return execa(program, rootless ? ['spawner', 'rootless'] : ['spawner'], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: false,
    reject: false,
    // The shims are its children; it goes by itself when its standard input ends.
    cleanup: false,
    extendEnv: false,
    // It must not keep a directory busy for as long as it lives.
    cwd: '/',
  })
}

const spawnerHints: Record<string, string> = {
  EMFILE: 'This process has too many open files; close some or raise `ulimit -n`.',
  ENFILE: 'The system has too many open files; raise fs.file-max.',
  EAGAIN: 'No more processes are allowed; raise `ulimit -u` or the pids limit of this cgroup.',
  ENOMEM: 'Not enough memory to fork this process; free some or start tasks earlier.',
  EACCES:
    'The native program cannot be executed; is its file system mounted noexec? Set HOLDFAST_NATIVE to a copy elsewhere.',
}
