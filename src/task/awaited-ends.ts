import { type BootTime, type Outcome, phaseOf } from '../../machines/index.ts'
import type { WaitResult } from '../api.ts'
import { fromFailure } from '../errors.ts'
import { bootTime } from '../spawn/boot-clock.ts'
import { survived } from './call-refusals.ts'
import type { TaskActor } from './task-actor.ts'
import { toWaitResult } from './wait-result.ts'

/** Resolves when the program runs, or has ended since. Rejects with what the start failed with. */
export async function untilLaunched(actor: TaskActor): Promise<void> {
  const { context } = await actor.until(snapshot => phaseOf(snapshot) !== 'launching')
  const { outcome } = context
  if (outcome?.cause === 'startFailed' && outcome.failure !== null) throw fromFailure(outcome.failure)
}

/** Resolves to how the task has ended. */
export async function untilEnded(actor: TaskActor): Promise<Outcome> {
  const known = actor.snapshot().context.outcome
  if (known !== null) return actor.withInputFailure(known)
  const { context } = await actor.until(({ status }) => status === 'done')
  if (context.outcome === null) throw new Error('a task machine that is done has an outcome')
  return actor.withInputFailure(context.outcome)
}

/**
 * Resolves when nothing of the task is left. Rejects with what the stop failed with, or LOST naming the
 * survivors.
 */
export async function untilStopped(actor: TaskActor): Promise<WaitResult> {
  const { context } = await actor.until(
    ({ status, context }) => status === 'done' || context.stopFailure !== null,
  )
  const { outcome, stopFailure } = context
  if (outcome === null)
    throw stopFailure === null ? new Error('stopped without an outcome') : fromFailure(stopFailure)
  if (outcome.survivors.length > 0) throw survived(outcome.survivors)
  return toWaitResult(actor.withInputFailure(outcome))
}

/**
 * Now, on both clocks. What is rounded down at both ends of a period would come out shorter than it is:
 * `step` ms go on top.
 */
export function thisInstant(step = 0): { readonly at: number; readonly boot?: BootTime } {
  const boot = bootTime()
  return { at: Date.now(), ...(boot !== null && { boot: { ...boot, at: boot.at + step } }) }
}
