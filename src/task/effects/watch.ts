import { bypassedOutcome, lostOutcome, type Outcome, type StopRequest } from '../../../machines/index.ts'
import { currentBootId } from '../../spawn/process-table.ts'
import { readExit } from '../../spawn/records.ts'
import type { TaskEnd } from '../../spawn/spawner.ts'
import { failpoint } from '../failpoint.ts'
import { killLeftovers } from '../keeper.ts'
import { retryTransient } from '../retry-transient.ts'
import { recordedOutcome } from '../recorded-outcome.ts'
import { shimLives } from '../shim-life.ts'
import { untilGone } from '../until-gone.ts'
import { LetGo } from '../let-go.ts'
import type { Bypass } from './bypass.ts'
import type { TaskParts } from './task-parts.ts'

/** What the other two actors know of the end. */
export type EndClues = {
  /** The spawner's word of the end; null: it is another's, or of an earlier life. */
  readonly spawnerEnd: Promise<TaskEnd> | null
  readonly bypass: Bypass
}

type End = readonly [outcome: Outcome, stop: StopRequest | null]

/**
 * The machine's actor `watch`: calls `report` once, when nothing of the task is left, or nobody can tell any
 * more; by then `letGo` is over. Returns the way to let go before.
 */
export function watch(
  task: TaskParts,
  clues: EndClues,
  report: (outcome: Outcome, stop: StopRequest | null) => void,
  letGo = new LetGo(),
): () => void {
  const tell = (...end: End): void => {
    if (letGo.aborted) return
    letGo.abort()
    report(...end)
  }
  untilEnd(task, clues, letGo).then(
    end => {
      if (end !== null) tell(...end)
    },
    // What cannot be found out is lost: nobody may wait for ever.
    (error: unknown) => tell(lostOutcome(unknowable(error), Date.now()), null),
  )
  return () => letGo.abort()
}

/** Null: let go of before the end. */
async function untilEnd(task: TaskParts, clues: EndClues, letGo: LetGo): Promise<End | null> {
  const { over } = clues.bypass
  // The spawner tells of the end of its own shims at no cost; when it dies itself, each task's FIFO takes
  // over.
  let heard: TaskEnd = (await Promise.race([clues.spawnerEnd, over])) ?? 'unwatched'
  while (!letGo.aborted) {
    if (heard === 'unwatched' && clues.bypass.survivors === null) await shimGone(task, over, letGo.signal)
    if (letGo.aborted) break
    const end = await conclude(task, clues, heard === 'recorded')
    if (end !== null) return end
    heard = 'unwatched'
  }
  return null
}

/** Or no means is left by which it might yet be made to go. */
async function shimGone(task: TaskParts, over: Promise<void>, letGo: AbortSignal): Promise<void> {
  const stop = new AbortController()
  const abort = (): void => stop.abort('over')
  letGo.addEventListener('abort', abort, { once: true })
  over.then(abort, abort)
  try {
    await untilGone(task.dir, task.records.known(), task.services.keepAlive, stop.signal)
  } finally {
    letGo.removeEventListener('abort', abort)
  }
}

/**
 * How the task ended, and the stop that another supervisor had asked for. Null: it was a false alarm, its
 * shim lives. `recorded`: its very shim has said that its record is in place.
 */
async function conclude(task: TaskParts, { bypass }: EndClues, recorded: boolean): Promise<End | null> {
  const { dir, file, keeper, records } = task
  failpoint('gone-seen')
  const ofBypass = bypass.survivors
  // A shim writes its record when nothing of the task is left, and goes: what lies there while it lives on is
  // another's word. Inferring an outcome kills whatever is left, the shim included: a spurious wake-up would
  // kill a healthy task.
  if (!recorded && ofBypass === null && (await retryTransient(() => shimLives(dir, records.known()))))
    return null
  const exit = await retryTransient(() => readExit(dir))
  if (exit !== null && !('corrupt' in exit)) {
    failpoint('outcome-known')
    return [recordedOutcome(exit), exit.stop === null ? null : stopOfOthers(task)]
  }
  // Somebody else was at it.
  if (recorded && ofBypass === null) return null
  const start = records.known()
  if (start !== null && start.bootId !== currentBootId()) {
    return [lostOutcome('The host has rebooted; the task left no exit record.', null), null]
  }
  if (ofBypass !== null) await keeper.release(start?.cgroups ?? []).catch(() => {})
  const survivors = ofBypass ?? (await killLeftovers(keeper, start))
  // Whoever of several supervisors has drawn the conclusion first has drawn it for all.
  const stored = file.stored()
  if (stored?.context.outcome) return [stored.context.outcome, stored.context.stop]
  const why =
    exit === null ? "The task's shim is gone and left no exit record." : 'The exit record cannot be read.'
  failpoint('outcome-known')
  const isDone = bypass.cause !== null && survivors.length === 0
  const end = isDone ? bypassedOutcome(bypass.cause, Date.now()) : lostOutcome(why, Date.now())
  return [{ ...end, startedAt: start?.startedAt ?? null, survivors }, stopOfOthers(task)]
}

/** Only a supervisor that knows of no stop itself has to look. */
function stopOfOthers({ file }: TaskParts): StopRequest | null {
  return file.snapshot?.value === 'running' ? (file.stored()?.context.stop ?? null) : null
}

function unknowable(error: unknown): string {
  return `How the task has ended cannot be found out: ${error instanceof Error ? error.message : String(error)}`
}
