import { readdirSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { constants } from 'node:os'
import {
  failureOf,
  forcedOutcome,
  lostOutcome,
  migrate,
  type Observation,
  type Outcome,
  outcomeOf,
  type StartRecord,
  type StopInput,
  type StopRequest,
  type StoredSnapshot,
  taskStates,
} from '../../machines/index.ts'
import type { Enforcement, Resources, Usage } from '../api.ts'
import { parseResources } from '../command/validate.ts'
import { fromFailure, HoldfastError } from '../errors.ts'
import { platform } from '../platform/index.ts'
import type { HostTask, Plan, Platform, PlatformName, UsageProbe } from '../platform/port.ts'
import { shimAlive } from '../spawn/alive.ts'
import { leftUntil } from '../spawn/boot-clock.ts'
import type { ControlLine } from '../spawn/control.ts'
import { signalProcess } from '../spawn/send-signal.ts'
import type { KeepAlive } from '../spawn/keep-alive.ts'
import { readExit, readStart } from '../spawn/records.ts'
import { LaunchFailed, type Spawner, SpawnerDied, type WatchEnd } from '../spawn/spawner.ts'
import type { FileTarget } from '../spawn/spec.ts'
import { admit } from '../alloc/admit.ts'
import { fault } from './fault.ts'
import { Journal, journalName } from './journal.ts'
import { launchers } from './launchers.ts'
import { patiently } from './patiently.ts'
import { currentBootId, isAlive } from '../spawn/process-table.ts'
import type { TaskEffects } from './provide.ts'
import { signalNumber } from './signals.ts'
import { untilGone } from './until-gone.ts'
import { readLimits, type UpdatedLimits, writeLimits } from './limits-file.ts'
import { mergeResources, mergeRows } from './merge-limits.ts'
import { StdinFeed } from './stdin-feed.ts'
import { killByAllMeans, overdueMs, type StopMeans, tellShim, written } from './stop-means.ts'
import type { StateDirectory } from './task-directory.ts'
import { type TaskSpec, toEnvelope } from './task-spec.ts'

/** What a task needs of the supervisor that holds it. */
export type TaskHost = {
  readonly state: StateDirectory
  readonly keepAlive: KeepAlive
  /** Started at first use; `inside`: for what runs inside another task. Throws INVALID_STATE once closed, UNSUPPORTED. */
  spawner(platform: PlatformName, inside: boolean): Spawner
}

/**
 * The effects of one task: starts or adopts it, watches its shim, stops it, keeps its directory. All it knows of the task after the
 * start it reads from that directory, so that it does the same for a task it started and for one it took over.
 */
export class TaskProcess implements TaskEffects {
  readonly dir: string
  readonly journal: Journal
  /** The machine's snapshot, for task.json. Set by the executor before anything is started. */
  snapshot: () => StoredSnapshot | null = () => null
  /** The number of the last transition that need not be told again, for task.json. */
  told: () => number = () => 0
  readonly #host: TaskHost
  #spec: TaskSpec
  readonly #mode: 'start' | 'adopt'
  /** Which task.json was our own last one. */
  #stamp: string | null = null
  #start: StartRecord | null = null
  /** A stream that the task reads from. Set by the executor before anything is started. */
  input: Readable | null = null
  #feed: StdinFeed | null = null
  #watched: Promise<WatchEnd> | null = null
  /** Kept while somebody watches what the task uses. */
  #probe: UsageProbe | null = null
  #watchers = 0
  #saving = false
  #dirty = false
  #gone = false
  /** It was killed past its shim. */
  #bypassed = false

  /** With `adopt`, a launch starts nothing: somebody else has. */
  constructor(host: TaskHost, spec: TaskSpec, mode: 'start' | 'adopt' = 'start') {
    this.#host = host
    this.#mode = mode
    this.#spec = spec
    this.dir = host.state.taskDirectory(spec.request.key)
    this.journal = new Journal(this.dir, mode === 'start')
  }

  /** As it is now, whoever has changed the limits last. */
  get enforcement(): readonly Enforcement[] {
    return this.#limits().enforcement
  }

  log(stream: 'stdout' | 'stderr'): FileTarget {
    return this.#spec.logs[stream]
  }

  get spec(): TaskSpec {
    return this.#spec
  }

  get adopted(): boolean {
    return this.#mode === 'adopt'
  }

  /** Starts the task; resolves when its program has been exec'ed. */
  async launch(abandoned: AbortSignal): Promise<StartRecord> {
    if (this.#mode === 'adopt') return this.#adopt()
    try {
      const start = await this.#launchShim(abandoned)
      // Closed meanwhile: then nobody feeds it any more.
      if (abandoned.aborted) this.endInput()
      else this.#feed?.begin()
      return start
    } catch (error) {
      this.endInput()
      throw error
    }
  }

  /** The task reads to the end of what it has been given. Idempotent. */
  endInput(): void {
    this.#feed?.end()
  }

  async #launchShim(abandoned: AbortSignal): Promise<StartRecord> {
    const { key } = this.#spec.request
    for (let attempt = 1; ; attempt++) {
      // Anew for a second spawner: it may live elsewhere, and the cgroups with it.
      const { spec, enforcement } = await this.#plan(abandoned)
      const spawner = this.#spawner()
      this.#spec = {
        ...this.#spec,
        enforcement,
        logs: { stdout: spec.stdout, stderr: spec.stderr },
        launchers: launchers(spawner.prepare()),
      }
      if (attempt === 1) this.#host.state.create(key, this.#envelope())
      else this.#host.state.write(key, this.#envelope())
      this.#stamp = this.#host.state.stamp(key)
      fault('intent-written')
      if (this.input !== null)
        this.#feed ??= new StdinFeed(spawner.feed(this.dir), this.input, this.#host.keepAlive)
      try {
        const launch = spawner.launch(spec, this.#feed?.way)
        fault('request-sent')
        const launched = await launch
        fault('started-heard')
        this.#watched = launched.end
        break
      } catch (error) {
        const adopted = this.#halfStarted(error)
        if (adopted !== null) return adopted
        // It may have been dead before it was asked: nobody is at work on the request, so where no shim was it can be asked again.
        if (error instanceof SpawnerDied && attempt === 1 && !this.#traces()) continue
        // A shim that was killed before it could record anything may have made them already.
        await this.#adapter.release(spec.cgroups.map(({ dir }) => dir)).catch(() => {})
        throw this.#launchError(error)
      }
    }
    return (await patiently(() => this.#recorded())) ?? this.#lostRecord()
  }

  /** Calls `report` once, when nothing of the task is left, or nobody can tell any more. Returns the way to let go. */
  watch(report: (outcome: Outcome, stop: StopRequest | null) => void): () => void {
    const let_go = new AbortController()
    this.#end(let_go.signal).then(
      end => {
        if (end !== null && !let_go.signal.aborted) report(...end)
      },
      // What cannot be found out is lost: nobody may wait for ever.
      error => {
        if (!let_go.signal.aborted) report(lostOutcome(unknowable(error), Date.now()), null)
      },
    )
    return () => let_go.abort('over')
  }

  /** Null: let go of before the end. */
  async #end(letGo: AbortSignal): Promise<[Outcome, StopRequest | null] | null> {
    // The spawner tells of the end of its own shims at no cost; when it dies itself, each task's FIFO takes over.
    let gone = (await this.#watched) === 'gone'
    while (!letGo.aborted) {
      if (!gone) await untilGone(this.dir, this.#host.keepAlive, letGo)
      if (letGo.aborted) break
      const end = await this.#conclude()
      if (end !== null) return end
      gone = false
    }
    return null
  }

  /** Asks, waits for the deadline, forces. Resolves when all is said; the end itself is told by watch. */
  async stop(request: StopInput, abandoned: AbortSignal): Promise<void> {
    // On disk before the first signal, and before anybody is told (XState runs effects before it tells observers): whoever takes over goes
    // on with this deadline, and counts this state as passed.
    this.saveNow()
    const means = this.#stopMeans(abandoned)
    const grace = leftUntil(request)
    if (grace > 0) {
      // All that a program of the console hears of a stop on Windows.
      if (process.platform === 'win32') this.endInput()
      const whom = request.target === 'leader' ? ' leader' : ''
      tellShim(means, `stop ${signalNumber(request.signal)} ${Math.ceil(grace)}${whom}`)
      fault('stop-sent')
      await this.#until(() => leftUntil(request), abandoned)
      if (abandoned.aborted) return
    }
    fault('kill-sending')
    const killing = killByAllMeans(means, () => (this.#bypassed = true))
    fault('kill-sent')
    const survivors = await killing
    if (abandoned.aborted) return
    const alive = survivors.length > 0 ? `; still alive: ${survivors.join(', ')}` : ''
    throw new HoldfastError(
      'LOST',
      `task ${this.#spec.request.key} has not ended ${overdueMs / 1000} s after it was killed${alive}`,
      {
        stage: 'stop',
        hint: 'A process in an uninterruptible system call (state D) ends when the call does: a hung network or FUSE mount, usually.',
      },
    )
  }

  #stopMeans(abandoned: AbortSignal): StopMeans {
    return {
      dir: this.dir,
      start: () => this.#known(),
      killTask: start => this.#adapter.killTree(start, { spareShim: true, limitMs: 1000 }),
      pause: milliseconds => {
        const began = performance.now()
        return this.#until(() => began + milliseconds - performance.now(), abandoned)
      },
      abandoned,
    }
  }

  /** Its processes, also when the records are gone or cannot be read now. */
  #known(): StartRecord | null {
    const remembered = this.#start ?? this.snapshot()?.context.start
    if (remembered) return remembered
    try {
      return this.#recorded()
    } catch {
      return null
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (process.platform === 'win32' && signal !== 'SIGKILL')
      throw new HoldfastError('UNSUPPORTED', `${signal} cannot be delivered: Windows has no signals`, {
        hint: 'shutdown() ends the standard input that feeds it; SIGKILL ends the task at once.',
      })
    if (this.#control(`signal ${signalNumber(signal)}`)) return
    const leader = this.#known()?.task
    // Its FIFO may be gone where the shim is not.
    if (leader === undefined || !signalProcess(leader, signal))
      throw new HoldfastError('INVALID_STATE', `${signal} cannot be delivered: the task has just ended`)
  }

  /** A task that has just ended needs no size any more. */
  resize(rows: number, columns: number): void {
    this.#control(`size ${rows} ${columns}`)
  }

  async sample(): Promise<Usage> {
    const probe = this.#probe ?? this.#adapter.probe(this.#started())
    if (this.#watchers > 0) this.#probe = probe
    try {
      return await probe.sample()
    } finally {
      if (this.#probe !== probe) probe.close()
    }
  }

  /** Until released, what one sample has opened is kept for the next. Returns the release, to be called once. */
  watchUsage(): () => void {
    this.#watchers++
    return () => {
      if (--this.#watchers === 0) this.#forgetProbe()
    }
  }

  /**
   * Changes the limits, also while other supervisors do: who finds that another was quicker applies what was asked on top of that. Written
   * down once it is so; the limits of a task whose supervisor dies between the two are new, and its rows old.
   */
  async update(asked: Resources): Promise<void> {
    const { request } = this.#spec
    for (;;) {
      const current = this.#limits()
      const resources = parseResources(mergeResources(current.resources, asked))
      const rows = await this.#adapter.update(request, this.#started(), asked, resources)
      // It may have come into other cgroups.
      this.#forgetProbe()
      const told = [
        asked.wallTimeMs === undefined || this.#control(`wall ${asked.wallTimeMs}`),
        asked.outputBytes === undefined || this.#control(`output ${asked.outputBytes}`),
      ]
      if (told.includes(false))
        throw new HoldfastError('INVALID_STATE', 'the limits cannot be changed: the task has just ended')
      const enforcement = mergeRows(current.enforcement, rows)
      if (writeLimits(this.dir, { revision: current.revision + 1, resources, enforcement })) return
    }
  }

  #forgetProbe(): void {
    this.#probe?.close()
    this.#probe = null
  }

  /** Of a task that has been removed: as it was started. */
  #limits(): Omit<UpdatedLimits, 'resources'> & { readonly resources: Resources | null } {
    const { enforcement, request } = this.#spec
    return readLimits(this.dir) ?? { revision: 0, resources: request.resources, enforcement }
  }

  #started(): StartRecord {
    const start = this.#start ?? this.#recorded()
    if (start === null) throw new HoldfastError('LOST', 'the start record of the task is gone')
    return start
  }

  /** This task, for what is to run inside of it. Throws LOST when its start record is gone. */
  asHost(): HostTask {
    const { key, name, inside } = this.#spec.request
    // Inside of what is inside is inside the same task.
    if (inside) return inside
    return {
      key,
      name,
      alive: `${this.dir}/alive`,
      start: this.#started(),
      rlimits: this.#limits().resources?.rlimits ?? {},
      isolation: this.#spec.enforcement.filter(({ kind }) => kind === 'isolation'),
    }
  }

  /** Who looks after its processes: a guest has no cgroups of its own to be known by. */
  get #adapter(): Platform {
    const { inside, platform: name } = this.#spec.request
    return platform(inside ? 'basic' : name)
  }

  /** What lies in the directory and in the process table, for reconcile(). */
  async observe(): Promise<Observation> {
    // `alive` is the first thing a shim makes, already held (docs/native-protocol.md): seen without a holder after a trace, it has been and gone.
    const traced = this.#traces()
    // Before the records: the shim writes them before it goes, so that whoever sees it gone sees them.
    const alive = shimAlive(this.dir)
    const exit = readExit(this.dir)
    const start = readStart(this.dir)
    // It came between the looks.
    if (!traced && !alive && this.#traces()) return this.observe()
    const sameBoot = start === null || 'corrupt' in start || start.bootId === currentBootId()
    return {
      exit: exit !== null && 'corrupt' in exit ? 'corrupt' : exit,
      start: start !== null && 'corrupt' in start ? 'corrupt' : start,
      sameBoot,
      shimAlive: alive,
      // Without a word of its end there may be something left of it, even when its leader is gone: that one dies with the shim.
      treeAlive: !alive && exit === null && sameBoot && start !== null && !('corrupt' in start),
      traces: traced || alive,
    }
  }

  /** Whether a shim has ever been at work in the directory. */
  #traces(): boolean {
    try {
      return readdirSync(this.dir).some(name => !name.startsWith('task.json') && !ours.has(name))
    } catch (error) {
      // Another process is removing the task: task.json, which goes last, says so.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
  }

  /** Whether somebody may still be about to start this task. */
  get beingLaunched(): boolean {
    return this.#spec.launchers.some(launcher => isAlive(launcher))
  }

  outcomeOf(record: Parameters<typeof outcomeOf>[0]): Outcome {
    return outcomeOf(record, errnoName)
  }

  /** Kills what the shim left behind. Only for a shim that is gone. Resolves to the survivors. */
  async killLeftovers(): Promise<readonly number[]> {
    const start = this.#known()
    if (start === null || start.bootId !== currentBootId()) return []
    const survivors = await this.#adapter.killTree(start)
    // A cgroup that cannot be removed now is audit's; the end of the task is told all the same.
    await this.#adapter.release(start.cgroups).catch(() => {})
    return survivors
  }

  /** Writes the snapshot some time soon: it is a cache, so that writes may be skipped and joined. */
  saveSoon(): void {
    this.#dirty = true
    if (this.#saving || this.#gone) return
    this.#saving = true
    const timer = setTimeout(() => this.flush(), saveDelayMs)
    timer.unref()
  }

  /** Not by fs.promises: four trips to the file threads cost this thread ten times what the four calls do, and none waits for a disk. */
  flush(): void {
    this.#saving = false
    if (this.#dirty) this.saveNow()
  }

  /** Writes what the journal waits with, of a task of which nothing else is to be written. */
  flushJournal(): void {
    if (!this.#gone) this.journal.flush()
  }

  /** Writes the snapshot, before something is done or told that the records alone would not tell. */
  saveNow(): void {
    if (this.#gone) return
    this.#dirty = false
    this.#save()
  }

  /**
   * Removes cgroups and directories of a task that has ended. At every step what is left is the ended task with its result, which can be
   * removed again, until task.json goes; after it there is nothing but an empty directory.
   */
  async remove(): Promise<void> {
    fault('destroy-begun')
    this.flush()
    this.#gone = true
    const start = this.#start ?? this.#recorded()
    if (start !== null) await this.#adapter.release(start.cgroups)
    fault('destroy-cgroups-removed')
    if (this.#spec.ownAlloc)
      await this.#host.state.removeAlloc(this.#spec.request.key, this.#spec.request.name)
    fault('destroy-allocation-removed')
    this.#host.state.remove(this.#spec.request.key)
    fault('destroy-done')
  }

  /** A start that is refused here leaves nothing: there is no record yet by which it could be found. (At a second attempt there is.) */
  async #plan(abandoned: AbortSignal): Promise<Plan> {
    const { request, ownAlloc } = this.#spec
    try {
      const scope = await this.#spawner().scope()
      const plan = await platform(request.platform).plan(request, this.dir, scope)
      fault('directories-planned')
      abandoned.throwIfAborted()
      admitTo(plan.spec, request)
      // Where no spawner can be started (too few descriptors, no native program), that is known here too.
      this.#spawner().prepare()
      return plan
    } catch (error) {
      // Its own failure, of the same cause as likely as not, must not hide the reason.
      if (ownAlloc && this.#stamp === null)
        await this.#host.state.removeAlloc(request.key, request.name).catch(() => {})
      throw inWords(error)
    }
  }

  #spawner(): Spawner {
    const { platform: name, inside } = this.#spec.request
    return this.#host.spawner(name, inside !== null && inside !== undefined)
  }

  /** Another supervisor's start: its shim lives, and writes the record before anything is exec'ed, or ends. */
  async #adopt(): Promise<StartRecord> {
    for (;;) {
      const shimLives = shimAlive(this.dir)
      const found = this.#recorded()
      if (found !== null) return found
      if (!shimLives) throw this.#launchError(new SpawnerDied('its shim is gone and left no start record'))
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }

  #recorded(): StartRecord | null {
    const start = readStart(this.dir)
    if (start === null || 'corrupt' in start) return null
    this.#start = start
    return start
  }

  /** The start was reported, yet its record cannot be read: somebody removes the directory under our hands. */
  #lostRecord(): never {
    throw new HoldfastError('STATE_CORRUPT', `the start record of task ${this.#spec.request.key} is gone`, {
      path: this.dir,
    })
  }

  /**
   * Of a shim, or a spawner, that was killed before it could answer: with a start record, and no word of a failure, the program may have run,
   * and something of it may be left. It is taken for running; the watch sees what became of it, and kills the rest.
   */
  #halfStarted(error: unknown): StartRecord | null {
    if (!(error instanceof SpawnerDied) && !(error instanceof LaunchFailed && error.stage === 'fork'))
      return null
    const exit = readExit(this.dir)
    const failed = exit !== null && !('corrupt' in exit) && exit.failure !== null
    return failed ? null : this.#recorded()
  }

  /** What the machine is told of a launch that did not work: the exit record's own words where there is one. */
  #launchError(error: unknown): unknown {
    const exit = readExit(this.dir)
    if (exit !== null && !('corrupt' in exit)) return { outcome: outcomeOf(exit, errnoName) }
    if (error instanceof LaunchFailed) return fromFailure(failureOf(error, errnoName))
    if (!(error instanceof SpawnerDied)) return inWords(error)
    return new HoldfastError('START_FAILED', `the task was not started: ${error.message}`, {
      stage: 'spawner',
      cause: error,
      hint: 'Starting it again starts a new spawner.',
    })
  }

  /** How the task ended, and the stop that another supervisor had asked for. Null: it was a false alarm, its shim lives. */
  async #conclude(): Promise<[Outcome, StopRequest | null] | null> {
    fault('gone-heard')
    const exit = await patiently(() => readExit(this.dir))
    if (exit !== null && !('corrupt' in exit)) {
      fault('outcome-known')
      return [outcomeOf(exit, errnoName), exit.stop === null ? null : this.#stopOfOthers()]
    }
    // To conclude without a record means to kill what is left, the shim included: a false alarm must not make itself true.
    if (exit === null && (await patiently(() => shimAlive(this.dir)))) return null
    const start = this.#known()
    if (start !== null && start.bootId !== currentBootId()) {
      return [lostOutcome('The host has rebooted; the task left no exit record.', null), null]
    }
    const survivors = await this.killLeftovers()
    // Whoever of several supervisors has drawn the conclusion first has drawn it for all.
    const stored = this.#stored()
    if (stored?.context.outcome) return [stored.context.outcome, stored.context.stop]
    const why =
      exit === null ? "The task's shim is gone and left no exit record." : 'The exit record cannot be read.'
    fault('outcome-known')
    const end =
      this.#bypassed && survivors.length === 0 ? forcedOutcome(Date.now()) : lostOutcome(why, Date.now())
    return [{ ...end, startedAt: start?.startedAt ?? null, survivors }, this.#stopOfOthers()]
  }

  /** Only a supervisor that knows of no stop itself has to look. */
  #stopOfOthers(): StopRequest | null {
    return this.snapshot()?.value === 'running' ? (this.#stored()?.context.stop ?? null) : null
  }

  /** What task.json says now; null where it says nothing usable. */
  #stored(): StoredSnapshot | null {
    try {
      const migrated = migrate(JSON.parse(this.#host.state.read(this.#spec.request.key) ?? ''))
      return 'ok' in migrated ? migrated.ok.snapshot : null
    } catch {
      return null
    }
  }

  #control(line: ControlLine): boolean {
    return written(this.dir, line)
  }

  /** setTimeout takes 2^31-1 ms at most. It keeps the program running only while somebody waits for a task. */
  async #until(left: () => number, abandoned: AbortSignal): Promise<void> {
    for (let wait = left(); wait > 0 && !abandoned.aborted; wait = left()) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(done, Math.min(wait, 2 ** 31 - 1))
        const forget = this.#host.keepAlive.add(timer)
        abandoned.addEventListener('abort', done, { once: true })
        function done(): void {
          clearTimeout(timer)
          forget()
          abandoned.removeEventListener('abort', done)
          resolve()
        }
      })
    }
  }

  #envelope(): string {
    return toEnvelope({ ...this.#spec, told: this.told() }, this.snapshot())
  }

  /** Another supervisor of the task has written down a later state. The file only ever goes forward. */
  #isBehind(): boolean {
    if (this.#host.state.stamp(this.#spec.request.key) === this.#stamp) return false
    const stored = this.#stored()
    const own = this.snapshot()
    return stored !== null && own !== null && rank(stored) > rank(own)
  }

  #save(): void {
    const { key } = this.#spec.request
    const state = this.snapshot()?.value
    if (this.snapshot() === null) return
    // Before the number of what was told: what is stored as told is in the journal, or a successor would leave it out.
    if (this.journal.flush()) fault('journal-written')
    try {
      if (this.#isBehind()) return
      if (isTold(state)) fault(`${state}-saving`)
      this.#host.state.write(key, this.#envelope())
      this.#stamp = this.#host.state.stamp(key)
      if (isTold(state)) fault(`${state}-saved`)
    } catch {
      // A full disk or a directory that another process has removed. The records tell the same story, and a stop must work.
    }
  }
}

/** The supervisor's own, its end of the standard input among them, and FIFOs that a shim is about to put in their place. */
const ours = new Set([journalName, 'stdin', 'alive.tmp', 'control.tmp'])

const rank = ({ value }: StoredSnapshot) => taskStates.indexOf(value)

const isTold = (state: string | undefined) =>
  state === 'running' || state === 'stopping' || state === 'exited'

/** What the host refused while the start was being planned: no step of its own, so the errno says all. */
function inWords(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error
  const { code, message, path } = error as NodeJS.ErrnoException
  const descriptors = code === 'EMFILE' || code === 'ENFILE'
  return new HoldfastError('START_FAILED', `the task was not started: ${message}`, {
    stage: 'request',
    errno: code,
    path,
    cause: error,
    hint: descriptors
      ? 'Raise the limit on open files (ulimit -n) of this program, or close some.'
      : undefined,
  })
}

function unknowable(error: unknown): string {
  return `How the task has ended cannot be found out: ${error instanceof Error ? error.message : String(error)}`
}

const saveDelayMs = 50

const errnoNames = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))

/** From node:os rather than node:util: libuv's own table lacks what only exec and mount say, such as ENOEXEC. */
function errnoName(errno: number): string {
  return errnoNames.get(errno) ?? `errno ${errno}`
}

/** With a root of its own it gets its directories mounted; what runs inside a task has that task's. */
function admitTo({ credentials, root }: Plan['spec'], { alloc, inside }: TaskSpec['request']): void {
  if (credentials !== null && root.length === 0 && !inside) admit(alloc.root, credentials)
}
