import type { StartRecord } from '../../../machines/index.ts'
import { admit } from '../../alloc/admit.ts'
import { type Secret, wipeSecrets } from '../../command/secrets.ts'
import { HoldfastError } from '../../errors.ts'
import type { DiskBound, Plan, TaskPaths } from '../../platform/port.ts'
import { readExit } from '../../spawn/records.ts'
import { type Launched, LaunchFailed, type Spawner, SpawnerDied } from '../../spawn/spawner.ts'
import { failpoint } from '../failpoint.ts'
import { launchers } from '../launchers.ts'
import { hasTraces } from '../observe.ts'
import { giveBack, type OwnUser, recordOwnUserPlaces } from '../own-users/own-users.ts'
import { makeOverlayPlace } from '../../platform/overlay-place.ts'
import { retryTransient } from '../retry-transient.ts'
import { StdinFeed, type TaskInput } from '../stdin-feed.ts'
import type { TaskSpec } from '../task-spec.ts'
import { askedOf } from './asked.ts'
import { confirm, confirmHeld } from './confirm.ts'
import { inWords, launchFailure } from './launch-failure.ts'
import type { TaskParts } from './task-parts.ts'

type Given = { readonly input: TaskInput | null; readonly secrets: readonly Secret[] }

/**
 * The machine's actor `launch` for a task that this supervisor starts: plan, intent, request, start record.
 */
export class Launch {
  readonly #task: TaskParts
  readonly #input: TaskInput | null
  readonly #secrets: readonly Secret[]
  #feed: StdinFeed | null = null
  #launched: Launched | null = null
  #ownUser: OwnUser | null = null
  /** What became of the comparison in front of exec; null: there was none. */
  #held: { readonly refusal: unknown } | null = null

  /** `input`: a stream of this program that the task reads from. `secrets`: ours to wipe. */
  constructor(task: TaskParts, { input, secrets }: Given) {
    this.#task = task
    this.#input = input
    this.#secrets = secrets
  }

  /** What the spawner will say of the end; null before the start, or where no spawner has a word of it. */
  get launched(): Launched | null {
    return this.#launched
  }

  /**
   * Resolves when the program has been exec'ed. `abandoned` before anything was asked for: nothing is
   * started.
   */
  async run(abandoned: AbortSignal): Promise<StartRecord> {
    try {
      const start = await this.#start(abandoned)
      // Closed meanwhile: then nobody feeds it any more.
      if (abandoned.aborted) this.endInput()
      else this.#feed?.begin(error => this.#input?.failed(error))
      return start
    } catch (error) {
      this.endInput()
      throw error
    } finally {
      wipeSecrets(this.#secrets)
    }
  }

  /** The task reads to the end of what it has been given. Idempotent. */
  endInput(): void {
    this.#feed?.end()
  }

  async #start(abandoned: AbortSignal): Promise<StartRecord> {
    const { dir, file, keeper, records } = this.#task
    for (let attempt = 1; ; attempt++) {
      // Anew for a second spawner: it may live elsewhere, and the cgroups with it.
      const { spec, enforcement, disk = null } = await this.#plan(abandoned)
      const spawner = this.#spawner()
      const logs = { stdout: spec.stdout, stderr: spec.stderr }
      const facts = { asked: askedOf(spec), enforcement, logs, launchers: launchers(spawner.prepare()) }
      file.intend(this.#ownUser === null ? facts : { ...facts, ownUser: this.#ownUser })
      failpoint('intent-written')
      try {
        if (disk !== null) await confine(dir, file.spec.request.alloc, disk)
        makeOverlayPlace(spec)
        await this.#request(spawner, spec)
        break
      } catch (error) {
        const adopted = this.#halfStarted(error)
        if (adopted !== null) return await confirm(this.#task, adopted)
        // The spawner may have been dead before it was asked, a shim that waited for a request (parked) as it
        // took one. Nobody is at work on it: where no shim has made anything, it can be asked again.
        if (isOfDead(error) && attempt === 1 && !hasTraces(dir)) continue
        // A shim that was killed before it could record anything may have made them already.
        const own = spec.cgroups.filter(({ external }) => external !== true)
        await keeper.release(own.map(({ dir }) => dir)).catch(() => {})
        // Of one that was refused the shim's record has the words cut short.
        throw this.#held?.refusal ?? launchFailure(dir, error)
      }
    }
    const start = (await retryTransient(() => records.read())) ?? this.#lostRecord()
    return this.#held === null ? await confirm(this.#task, start) : start
  }

  async #request(spawner: Spawner, spec: Plan['spec']): Promise<void> {
    const { dir, services } = this.#task
    if (this.#input !== null)
      this.#feed ??= new StdinFeed(spawner.feed(dir), this.#input.stream, services.keepAlive)
    const given = this.#secrets.length === 0 ? spec : { ...spec, secrets: this.#secrets }
    const launch = spawner.launch(given, this.#feed?.way, () => this.#compare())
    failpoint('request-sent')
    const launched = await launch
    failpoint('started-received')
    this.#launched = launched
  }

  /** The task waits in front of its program, under strict. */
  #compare(): void {
    failpoint('start-held')
    try {
      confirmHeld(this.#task)
      this.#held = { refusal: null }
    } catch (refusal) {
      this.#held = { refusal }
    }
  }

  /**
   * A start that is refused here leaves nothing: there is no record yet by which it could be found. (At a
   * second attempt there is.)
   */
  async #plan(abandoned: AbortSignal): Promise<Plan> {
    const { dir, file, planner, services } = this.#task
    const { request, ownAlloc } = file.spec
    try {
      const scope = await this.#spawner().scope()
      const plan = await planner.plan(request, dir, scope, {
        range: services.ownUsers.range,
        claim: () => this.#claimUser(),
      })
      failpoint('directories-planned')
      abandoned.throwIfAborted()
      if (this.#ownUser !== null) {
        recordOwnUserPlaces(this.#ownUser, this.#owner, plan.spec)
        failpoint('user-recorded')
      }
      admitTo(plan.spec, request)
      // Where no spawner can be started (too few descriptors, no native program), that is known here too.
      this.#spawner().prepare()
      return plan
    } catch (error) {
      // Its own failure, of the same cause as likely as not, must not hide the reason.
      if (ownAlloc && !file.isWritten)
        await services.state.removeAlloc(request.key, request.name).catch(() => {})
      if (this.#ownUser !== null && !file.isWritten) giveBack(this.#ownUser, this.#owner)
      throw inWords(error)
    }
  }

  async #claimUser(): Promise<number> {
    this.#ownUser ??= await this.#task.services.ownUsers.claim(this.#owner)
    failpoint('user-claimed')
    return this.#ownUser.number
  }

  get #owner(): { readonly stateDir: string; readonly key: string } {
    const { file, services } = this.#task
    return { stateDir: services.state.path, key: file.spec.request.key }
  }

  #spawner(): Spawner {
    const { platform: name, inside } = this.#task.file.spec.request
    return this.#task.services.spawner(name, inside !== null && inside !== undefined)
  }

  /**
   * Of a shim, or a spawner, that was killed before it could answer: with a start record, and no word of a
   * failure, the program may have run, and something of it may be left. It is taken for running; the watch
   * sees what became of it, and kills the rest.
   */
  #halfStarted(error: unknown): StartRecord | null {
    if (!(error instanceof SpawnerDied) && !(error instanceof LaunchFailed && error.stage === 'fork'))
      return null
    const exit = readExit(this.#task.dir)
    const failed = exit !== null && !('corrupt' in exit) && exit.failure !== null
    return failed ? null : this.#task.records.read()
  }

  /**
   * The start was reported, yet its record cannot be read: somebody removes the directory under our hands.
   */
  #lostRecord(): never {
    const { dir, file } = this.#task
    throw new HoldfastError('STATE_CORRUPT', `the start record of task ${file.spec.request.key} is gone`, {
      path: dir,
    })
  }
}

function isOfDead(error: unknown): boolean {
  return error instanceof SpawnerDied || (error instanceof LaunchFailed && error.isOfDeadShim)
}

/** Read where it is asked for alone. */
async function confine(dir: string, alloc: TaskPaths, bound: DiskBound): Promise<void> {
  const { confineAllocation } = await import('../disk/confine.ts')
  await confineAllocation(dir, alloc, bound)
}

/** With a root of its own it gets its directories mounted; what runs inside a task has that task's. */
function admitTo({ credentials, root }: Plan['spec'], { alloc, inside }: TaskSpec['request']): void {
  if (credentials !== null && root.length === 0 && !inside) admit(alloc.root, credentials)
}
