import { join } from 'node:path'
import {
  type Envelope,
  lostOutcome,
  migrate,
  type Observation,
  phaseOf,
  reconcile,
  type StoredSnapshot,
  settleTask,
  type TaskEvent,
  type TaskState,
} from '../../machines/index.ts'
import { HoldfastError } from '../errors.ts'
import { type TaskHost, TaskProcess } from './task-process.ts'
import { isTaskSpec, type TaskSpec } from './task-spec.ts'

export type Rehydrated = {
  readonly process: TaskProcess
  readonly snapshot: StoredSnapshot
  /** The state last written down. */
  readonly lastState: TaskState
  /** What to tell the restored machine first. */
  readonly events: readonly TaskEvent[]
}

/**
 * Reads a stored task, looks at what became of it meanwhile, and decides (machines/reconcile.ts) how to go on. A task that has ended
 * is settled without its actors: none of them may run again for it.
 * Rejects NOT_FOUND, or STATE_CORRUPT for what is kept but cannot be used.
 */
export async function rehydrate(host: TaskHost, key: string): Promise<Rehydrated> {
  const { spec, snapshot } = readEnvelope(host, key)
  const process = new TaskProcess(host, spec as TaskSpec, 'adopt')
  const lastState = snapshot.value
  const phase = phaseOf(snapshot)
  const seen = phase === 'launching' ? await settledLaunch(process) : await process.observe()
  const decision = reconcile(phase, seen)
  if (decision.decision === 'quarantine') throw corrupt(decision.reason, process.dir)
  if (decision.decision === 'relaunch') throw new Error('a relaunch was not allowed')
  if (decision.decision === 'resume') {
    const start: TaskEvent = { type: 'START', key, at: Date.now() }
    return { process, snapshot, lastState, events: [decision.adopt ? start : { type: 'RETRY' }] }
  }
  const survivors = decision.killTree ? await process.killLeftovers() : []
  if (decision.decision === 'exited' && decision.record === null)
    return { process, snapshot, lastState, events: [] }
  const outcome =
    decision.decision === 'exited' && decision.record !== null
      ? process.outcomeOf(decision.record)
      : { ...lostOutcome(decision.decision === 'lost' ? decision.reason : '', Date.now()), survivors }
  return { process, snapshot: settleTask(snapshot, key, outcome), lastState, events: [] }
}

/**
 * The one thing that is polled for: a supervisor (or its spawner, which outlives it by a moment) that has written down its intent and
 * may be about to fork the shim. While it lives, an empty directory says nothing; when it is dead, the directory says all.
 */
async function settledLaunch(process: TaskProcess): Promise<Observation> {
  for (;;) {
    // In this order: what a launcher did before it was seen dead is then seen below.
    const mayStillCome = process.beingLaunched
    const seen = await process.observe()
    if (seen.traces || seen.shimAlive || !mayStillCome) return seen
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

function readEnvelope(host: TaskHost, key: string): Envelope {
  const dir = host.state.taskDirectory(key)
  const text = host.state.read(key)
  if (text === null) throw corrupt('task.json is missing', dir)
  const migrated = migrate(parse(text, dir))
  if ('quarantine' in migrated) throw corrupt(migrated.quarantine, dir)
  if (!isTaskSpec(migrated.ok.spec)) throw corrupt('task.json does not say what the task is', dir)
  return migrated.ok
}

function parse(text: string, dir: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw corrupt(`task.json is no JSON: ${(error as Error).message}`, dir)
  }
}

function corrupt(reason: string, dir: string): HoldfastError {
  return new HoldfastError('STATE_CORRUPT', `the stored task cannot be used: ${reason}`, {
    path: join(dir, 'task.json'),
    hint: 'Nothing was changed. Its records and FIFOs still work; `holdfast rm --force` (supervisor.discard) kills and removes it.',
  })
}
