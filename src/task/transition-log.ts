import {
  type Outcome,
  passedStates,
  stateOf,
  type TaskContext,
  type TaskState,
} from '../../machines/index.ts'
import type { HistoryEntry } from '../api.ts'
import { failpoint } from './failpoint.ts'
import { withoutMessage, type Change, changeEntry, noteEntry } from './history-entry.ts'
import type { AnySnapshot } from './task-actor.ts'
import type { TaskFile } from './task-file.ts'

/** Who hears of it. */
export type TransitionEvents = {
  /** Returns whether somebody was there to hear it. */
  transition(change: Change & { readonly at: number }): boolean
  recorded(entry: HistoryEntry): void
  exited(outcome: Outcome): void
}

/** Where it is written down. `adopted`: another supervisor has started the task. */
export type LogPlace = { readonly file: TaskFile; readonly adopted: boolean }

/**
 * The changes of state of one task, numbered, journaled and published; and which of them need not be
 * published again.
 */
export class TransitionLog {
  readonly #events: TransitionEvents
  #place: LogPlace | null = null
  /** The number of the last that was published, and of the last that need not be published again. */
  #published = 0
  #delivered = 0
  /** What happened before there was a journal to write it to. */
  #early: HistoryEntry[] = []
  #startedAt: number | null = null
  #stopFailure: TaskContext['stopFailure'] = null
  #reported = false

  constructor(events: TransitionEvents) {
    this.#events = events
  }

  /** The number of the last transition that need not be published again, for task.json. */
  get delivered(): number {
    return this.#delivered
  }

  /** A start was asked for: the journal says how long it took. */
  startAsked(): void {
    this.#startedAt = performance.now()
  }

  /**
   * From here on there is a place to write to. `delivered`: the number that its last supervisor has written
   * down.
   */
  begin(place: LogPlace, delivered = 0): void {
    this.#place = place
    this.#published = this.#delivered = delivered
    for (const entry of this.#early.splice(0)) this.#record(entry)
  }

  /**
   * Runs after each step of the machine. Changes of state that happened while nobody looked are published
   * like any other, and so are those that a predecessor has not marked as delivered: perhaps twice, by one
   * number, but never not at all. `stored`: the snapshot is as it was stored, so that nothing of it is to be
   * written.
   */
  moved(snapshot: AnySnapshot, stored = false): void {
    const { context } = snapshot
    const passed = passedStates(snapshot)
    this.#noteStopFailure(stateOf(snapshot), context.stopFailure)
    if (passed.length <= this.#published) return
    const adopted = this.#place?.adopted ?? false
    // What the records do not say by themselves is written down before it is published, or a successor could
    // come to another conclusion.
    if (!stored && (adopted || context.outcome?.evidence === 'inferred')) this.#place?.file.saveNow()
    const deliveredBefore = this.#delivered
    this.#publish(passed, context, adopted)
    if (!stored || this.#delivered > deliveredBefore) this.#place?.file.saveSoon()
    else this.#place?.file.flushJournal()
    if (context.outcome !== null) this.report(context.outcome)
  }

  /** An event that changes no state, or none any more. */
  note(state: TaskState, event: string, details: Parameters<typeof noteEntry>[2] = {}): void {
    this.#record(noteEntry(state, event, details))
    this.#place?.file.saveSoon()
  }

  /** Publishes the result, once. */
  report(outcome: Outcome): void {
    if (this.#reported) return
    this.#reported = true
    this.#events.exited(outcome)
  }

  #publish(passed: readonly TaskState[], context: TaskContext, adopted: boolean): void {
    const at = Date.now()
    for (const [index, to] of passed.entries()) {
      if (index < this.#published && !adopted) continue
      const change = { from: passed[index - 1] ?? 'configured', to, sequence: index + 1, at } as const
      // Also what was published before: whoever did may have been killed before it was in the journal.
      this.#record(this.#entryOf(change, context))
      if (index < this.#published) continue
      const wasPublished = this.#events.transition(change)
      // The supervisor that started a task needs no redelivery, even without subscribers. One that adopted it
      // must not mark as delivered what another subscriber waits for.
      if (wasPublished || !adopted) this.#delivered = change.sequence
      this.#published = change.sequence
      if (to !== 'configured' && to !== 'limited') failpoint(`${to}-published`)
    }
  }

  #entryOf(change: Change & { readonly at: number }, context: TaskContext): HistoryEntry {
    const entry = changeEntry(change, context, change.at)
    if (change.to !== 'running' || this.#startedAt === null) return entry
    return { ...entry, tookMs: Math.round((performance.now() - this.#startedAt) * 1000) / 1000 }
  }

  #noteStopFailure(state: TaskState, failure: TaskContext['stopFailure']): void {
    const before = this.#stopFailure
    this.#stopFailure = failure
    if (failure !== null && before === null)
      this.note(state, 'stop failed', { failure: withoutMessage(failure) })
  }

  #record(entry: HistoryEntry): void {
    if (this.#place === null) this.#early.push(entry)
    else if (this.#place.file.journal.add(entry)) this.#events.recorded(entry)
  }
}
