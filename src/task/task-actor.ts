import {
  concat,
  concatMap,
  defer,
  from,
  map,
  type Observable,
  of,
  pairwise,
  startWith,
  takeWhile,
} from 'rxjs'
import { type Actor, createActor, type InspectionEvent, type Observer, waitFor } from 'xstate'
import {
  type Failure,
  type Outcome,
  passedStates,
  type Phase,
  phaseOf,
  restoreTask,
  stateOf,
  type StoredSnapshot,
  type TaskSnapshot,
  type TaskState,
} from '../../machines/index.ts'
import type { KeepAlive } from '../spawn/keep-alive.ts'
import { detached } from './call-refusals.ts'
import type { ProvidedTaskMachine } from './provide.ts'

/** What an actor is made with, and kept alive by. */
export type ActorServices = {
  readonly machine: ProvidedTaskMachine
  readonly inspect: Observer<InspectionEvent> | ((event: InspectionEvent) => void) | undefined
  readonly keepAlive: KeepAlive
}

/**
 * A stored machine. `final`: the task has ended and this is known, so that there is nothing to come that was
 * not published.
 */
export type Restored = { readonly snapshot: StoredSnapshot; readonly final: boolean }

export type AnySnapshot = TaskSnapshot | StoredSnapshot

/**
 * The machine of one task. Its actor is made when somebody needs it: a task that had ended when it was opened
 * is no more than what was stored of it, and one that runs that and a watch for its end.
 */
export class TaskActor {
  readonly #services: ActorServices
  readonly #moved: (snapshot: TaskSnapshot) => void
  #inputFailure: Failure | null = null
  #restored: Restored | null
  #actor: Actor<ProvidedTaskMachine> | null = null
  /** Ends the watch of one that rests. */
  #endRest: (() => void) | null = null
  /** It was stopped while it rested. */
  #isDead = false

  /**
   * `moved` is called after each step of the machine. Without `restored` it is a new one, of a task without a
   * name.
   */
  constructor(
    services: ActorServices,
    moved: (snapshot: TaskSnapshot) => void,
    restored: Restored | null = null,
  ) {
    this.#services = services
    this.#moved = moved
    this.#restored = restored
  }

  /** The actor, started. */
  live(): Actor<ProvidedTaskMachine> {
    if (this.#actor === null) {
      // Assigned before it is started: its effects store its snapshot.
      this.#actor = this.#make(this.#restored)
      this.#restored = null
      this.#wake()
      this.#actor.start()
      if (this.#isDead) this.#actor.stop()
    }
    return this.#actor
  }

  /**
   * What was stored stands for the actor until somebody needs that, or the task has ended. `watch` calls
   * `onEnd` then, later, and returns the way to hear no more.
   */
  rest(watch: (onEnd: () => void) => () => void): void {
    this.#endRest = watch(() => this.live())
  }

  /** Whether its state is as it was stored: nothing of it is to be written. */
  get isStored(): boolean {
    return this.#restored !== null
  }

  /** Whether it was stopped before the task had ended. */
  get isStopped(): boolean {
    return this.#isDead || this.#actor?.getSnapshot().status === 'stopped'
  }

  /**
   * A stream as standard input has failed half way, which becomes part of the task's result. False when that
   * has one already.
   */
  inputFailed(failure: Failure): boolean {
    if (this.#inputFailure !== null || this.snapshot().context.outcome !== null) return false
    this.#inputFailure = failure
    return true
  }

  /** The outcome as it is published: its end may have been the end of its input. */
  withInputFailure(outcome: Outcome): Outcome {
    return outcome.failure === null && this.#inputFailure !== null
      ? { ...outcome, failure: this.#inputFailure }
      : outcome
  }

  /** Of a new one it is known without its actor, which an executor that is to open a task never needs. */
  get phase(): Phase {
    const isNew = this.#actor === null && this.#restored === null
    return isNew ? 'configured' : phaseOf(this.snapshot())
  }

  snapshot(): AnySnapshot {
    return this.#actor === null && this.#restored !== null
      ? this.#restored.snapshot
      : this.live().getSnapshot()
  }

  /**
   * To be stored. Null: of one that has been stopped there is only a dead snapshot, which nobody could
   * restore.
   */
  persisted(): StoredSnapshot | null {
    if (this.#isDead) return null
    if (this.#restored !== null) return this.#restored.snapshot
    if (this.live().getSnapshot().status === 'stopped') return null
    return this.live().getPersistedSnapshot() as unknown as StoredSnapshot
  }

  /** Whether it has ended, and an exit record says how. Not of one that has been stopped. */
  get isRecorded(): boolean {
    return !this.#isDead && this.snapshot().context.outcome?.evidence === 'record'
  }

  /** The state now, then each that is passed, those within one step included. Completes with the actor. */
  states$(): Observable<TaskState> {
    return defer(() => {
      const actor = this.live()
      const now = actor.getSnapshot()
      // Whoever hears of the first may do something about it before there is a second.
      const later = defer(() => from(actor).pipe(startWith(actor.getSnapshot())))
      return concat(of(now), later).pipe(
        // A stopped actor says nothing any more, not even that.
        takeWhile(({ status }) => status === 'active', true),
        map(passedStates),
        pairwise(),
        concatMap(([before, after]) => after.slice(before.length)),
        startWith(stateOf(now)),
      )
    })
  }

  /** Calls `heard` when nothing more will come of it. Returns the way to hear no more. */
  onEnd(onComplete: () => void): () => void {
    const subscription = this.live().subscribe({ complete: onComplete, error: onComplete })
    return () => subscription.unsubscribe()
  }

  /**
   * Waits for a snapshot, and keeps the program running meanwhile. Rejects INVALID_STATE when the actor is
   * stopped before.
   */
  async until(reached: (snapshot: TaskSnapshot) => boolean): Promise<TaskSnapshot> {
    const actor = this.live()
    const snapshot = actor.getSnapshot()
    // To hold and release costs a call per task of the supervisor.
    if (reached(snapshot)) return snapshot
    // A stopped actor never says anything again, not even that.
    if (snapshot.status === 'stopped') throw detached(undefined)
    try {
      return await this.#services.keepAlive.while(waitFor(actor, reached))
    } catch (error) {
      const { status, error: fault } = actor.getSnapshot()
      throw status === 'error' ? fault : detached(error)
    }
  }

  stop(): void {
    if (this.#endRest !== null && this.#restored !== null) {
      // Nothing may run for it any more, should somebody ask for the actor.
      this.#restored = { snapshot: { ...this.#restored.snapshot, children: {} }, final: true }
      this.#isDead = true
    }
    this.#wake()
    this.#actor?.stop()
  }

  #wake(): void {
    this.#endRest?.()
    this.#endRest = null
  }

  #make(restored: Restored | null): Actor<ProvidedTaskMachine> {
    const { machine, inspect } = this.#services
    const options = inspect === undefined ? {} : { inspect }
    const actor =
      restored === null
        ? createActor(machine, { ...options, input: { name: '' } })
        : restoreTask(machine, restored.snapshot, options)
    if (restored?.final) return actor
    // A bug in the machine or its effects: whoever waits hears it through waitFor; here it only must not
    // crash the program.
    actor.subscribe({ next: snapshot => this.#moved(snapshot), error: () => {} })
    return actor
  }
}
