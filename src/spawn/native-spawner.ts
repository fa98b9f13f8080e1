import { HoldfastError } from '../errors.ts'
import type { Feed } from './feed.ts'
import { FifoFeed } from './fifo-feed.ts'
import type { KeepAlive } from './keep-alive.ts'
import { descriptorsOf, donateDescriptors } from './fd-donor.ts'
import { parkedArguments } from './parked.ts'
import type { Scope, ScopedStart, Scoping } from './scope.ts'
import { type Held, type Launched, type Spawner, SpawnerDied } from './spawner.ts'
import { startSpawner } from './spawner-process.ts'
import { SpawnerSession } from './spawner-session.ts'
import type { LaunchSpec } from './spec.ts'

type Options = { readonly rootless?: boolean; readonly scoping?: Scoping }

/**
 * One warm native spawner, started at the first launch and again when it has died. Node forks once for it and
 * never for a task: a fork of Node blocks its event loop for as long as the size of its memory asks, a fork
 * of the spawner does not.
 */
export class NativeSpawner implements Spawner {
  readonly #program: string
  readonly #rootless: boolean
  readonly #arguments: readonly string[]
  readonly #keepAlive: KeepAlive
  readonly #scoping: Scoping
  #session: SpawnerSession | null = null
  #scope: Promise<Scope | null> = Promise.resolve(null)
  /** Why there will be no further try to get a scope. */
  #refused: Scope | null = null
  #closed = false
  restarts = 0

  /**
   * `rootless`: it enters a user namespace first, in which its shims are root. `scoping`: how it comes into a
   * unit of its own.
   */
  constructor(program: string, keepAlive: KeepAlive, { rootless = false, scoping = noScope }: Options = {}) {
    this.#program = program
    this.#rootless = rootless
    this.#arguments = ['spawner', ...(rootless ? ['rootless'] : []), ...parkedArguments()]
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

  async launch(spec: LaunchSpec, _feed?: Feed | null, held?: Held): Promise<Launched> {
    // The request names cgroups in the scope of the one that died, which went with it.
    if (this.#session?.over && this.#session.start !== null)
      throw new SpawnerDied('the spawner died before it could be asked')
    const session = this.#open()
    const descriptors = this.#rootless ? descriptorsOf(spec) : []
    return descriptors.length === 0
      ? session.launch(spec, held)
      : this.#launchWithDonor(session, spec, descriptors, held)
  }

  /** Until the answer: by then the shim has opened them for itself. */
  async #launchWithDonor(
    session: SpawnerSession,
    spec: LaunchSpec,
    numbers: readonly number[],
    held: Held | undefined,
  ): Promise<Launched> {
    const spawner = await session.identity()
    if (spawner === null) throw new SpawnerDied('the spawner died before it could be asked')
    const donor = await donateDescriptors(this.#program, spawner, numbers)
    try {
      // Whoever is asked now would never answer.
      if (session.over) throw new SpawnerDied('the spawner died before it could be asked')
      return await session.launch({ ...spec, donor: donor.process }, held)
    } finally {
      await donor.close()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#session?.close()
  }

  #open(): SpawnerSession {
    if (this.#closed)
      throw new HoldfastError('INVALID_STATE', 'the supervisor is closed and starts no more tasks')
    if (this.#session !== null && !this.#session.over) return this.#session
    if (this.#session?.over) this.restarts++
    const start = this.#refused === null ? this.#scoping(this.#program, this.#arguments) : null
    this.#session = this.#newSession(start)
    this.#scope =
      start === null ? Promise.resolve(this.#refused) : this.#acquireScope(this.#session, start, tries)
    return this.#session
  }

  /**
   * A spawner that did not get its scope goes, and another is tried; after the last try one without, so that
   * tasks can be started all the same.
   */
  async #acquireScope(session: SpawnerSession, start: ScopedStart, triesLeft: number): Promise<Scope | null> {
    const complaint = await session.ready(scopeMs)
    const { pid } = session
    const scope = complaint === null && pid !== null ? start.verify(pid) : null
    if (scope !== null && 'unit' in scope) return scope
    await session.close()
    if (this.#closed) return null
    const next = triesLeft > 1 ? this.#scoping(this.#program, this.#arguments) : null
    this.#session = this.#newSession(next)
    if (next !== null) return this.#acquireScope(this.#session, next, triesLeft - 1)
    this.#refused = scope ?? {
      reason: complaint ?? 'the spawner died at once',
      hint: `systemd-run --scope true`,
    }
    return this.#refused
  }

  #newSession(start: ScopedStart | null): SpawnerSession {
    const child = startSpawner(start?.command ?? [this.#program, ...this.#arguments], start?.env ?? {})
    return new SpawnerSession(child, this.#keepAlive, start)
  }
}

const noScope: Scoping = () => null

/** How often a scope is asked for, and how many milliseconds one may take. */
const tries = 2
const scopeMs = 10_000
