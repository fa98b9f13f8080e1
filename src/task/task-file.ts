import { migrate, phaseOf, phases, stateOf, type StoredSnapshot } from '../../machines/index.ts'
import { failpoint } from './failpoint.ts'
import { Journal } from './journal.ts'
import type { StateDirectory } from './task-directory.ts'
import { specText, type TaskSpec, toEnvelope } from './task-spec.ts'

/** What task.json takes from the machine and from the log of its transitions, asked for at each writing. */
export type TaskView = {
  /** The machine: its state, to be stored (null: it has been stopped), and whether a record says its end. */
  readonly actor: { persisted(): StoredSnapshot | null; readonly isRecorded: boolean }
  /** The number of the last transition that need not be published again. */
  delivered(): number
}

/** The known parts of a task that a launch adds to what was asked for. */
export type LaunchFacts = Pick<TaskSpec, 'asked' | 'enforcement' | 'logs' | 'launchers' | 'ownUser'>

/**
 * task.json and the journal beside it. The snapshot in it is a cache of what the records say, so that writes
 * may be skipped and joined; it only ever goes forward, whichever supervisor of the task writes it.
 */
export class TaskFile {
  readonly journal: Journal
  readonly #state: StateDirectory
  readonly #view: TaskView
  #spec: TaskSpec
  /** Which task.json was our own last one; null: we have written none. Of one that has ended nobody knows. */
  #stamp: string | null = null
  /** The parts that do not change, as text: from the first writing to the next, which is usually the last. */
  #text: string | null = null
  #timer = false
  #dirty = false
  #closed = false

  /** `fresh`: nobody has written to the journal before. */
  constructor(state: StateDirectory, view: TaskView, spec: TaskSpec, fresh: boolean) {
    this.#state = state
    this.#view = view
    this.#spec = spec
    this.journal = new Journal(state.taskDirectory(spec.request.key), fresh)
  }

  get spec(): TaskSpec {
    return this.#spec
  }

  get snapshot(): StoredSnapshot | null {
    return this.#view.actor.persisted()
  }

  /** Whether this process has written it. */
  get isWritten(): boolean {
    return this.#stamp !== null
  }

  /**
   * Writes down the intent to start, before anything is started; again at a second attempt.
   * Throws START_FAILED or PERMISSION at the first, the system's error at the second.
   */
  intend(facts: LaunchFacts): void {
    const { key } = this.#spec.request
    this.#spec = Object.assign({}, this.#spec, facts)
    this.#text = specText(this.#spec)
    const text = toEnvelope(this.#text, this.#view.delivered(), this.snapshot)
    if (this.isWritten) this.#state.write(key, text)
    else this.#state.create(key, text)
    this.#stamp = this.#state.stamp(key)
    // What the start was to have written soon is in it; the first line of the journal goes with the next.
    this.#dirty = false
  }

  /** What became of the isolation and the limits, once that was read back; written with the next snapshot. */
  confirm(enforcement: LaunchFacts['enforcement']): void {
    this.#spec = { ...this.#spec, enforcement }
    this.#text = null
  }

  /** Writes the snapshot within 50 ms, once for all who ask meanwhile. */
  saveSoon(): void {
    this.#dirty = true
    if (this.#timer || this.#closed) return
    this.#timer = true
    setTimeout(() => this.flush(), saveDelayMs).unref()
  }

  /**
   * Writes what saveSoon() has put off. Not by fs.promises: four trips to the file threads cost this thread
   * ten times what the four calls do, and none waits for a disk.
   */
  flush(): void {
    this.#timer = false
    if (this.#dirty) this.saveNow()
  }

  /** Writes what the journal waits with, of a task of which nothing else is to be written. */
  flushJournal(): void {
    if (!this.#closed) this.journal.flush()
  }

  /**
   * Writes the snapshot, before something is done or published that the records alone would not tell. Never
   * throws.
   */
  saveNow(): void {
    if (this.#closed) return
    this.#dirty = false
    const snapshot = this.snapshot
    if (snapshot === null) return
    // Before the number of what was published: what is stored as such is in the journal, or a successor would
    // leave it out.
    if (this.journal.flush()) failpoint('journal-written')
    try {
      if (this.#isBehind(snapshot)) return
      this.#replace(snapshot)
    } catch {
      // A full disk or a directory that another process has removed. The records tell the same story, and a
      // stop must work.
    }
  }

  /**
   * Writes nothing after this: the task is being removed. What is due goes first, unless an exit record says
   * it anyway.
   */
  close(): void {
    if (this.#dirty && !this.#view.actor.isRecorded) this.flush()
    this.#closed = true
  }

  /** What task.json says now; null where it says nothing usable. */
  stored(): StoredSnapshot | null {
    try {
      const migrated = migrate(JSON.parse(this.#state.read(this.#spec.request.key) ?? ''))
      return 'ok' in migrated ? migrated.ok.snapshot : null
    } catch {
      return null
    }
  }

  #replace(snapshot: StoredSnapshot): void {
    const { key } = this.#spec.request
    const state = stateOf(snapshot)
    const isPublic = state === 'running' || state === 'stopping' || state === 'exited'
    if (isPublic) failpoint(`${state}-saving`)
    const text = this.#text ?? specText(this.#spec)
    this.#text = null
    this.#state.write(key, toEnvelope(text, this.#view.delivered(), snapshot))
    // Nothing is to be written after that, usually, and whoever does has to look.
    this.#stamp = state === 'exited' ? unknownStamp : this.#state.stamp(key)
    if (isPublic) failpoint(`${state}-saved`)
  }

  /** Another supervisor of the task has written down a later state. */
  #isBehind(own: StoredSnapshot): boolean {
    if (this.#state.stamp(this.#spec.request.key) === this.#stamp) return false
    const stored = this.stored()
    return stored !== null && rank(stored) > rank(own)
  }
}

const rank = (snapshot: StoredSnapshot) => phases.indexOf(phaseOf(snapshot))

const saveDelayMs = 50

/** Of no file. */
const unknownStamp = ''
