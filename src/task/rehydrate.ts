import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Envelope,
  lostOutcome,
  migrate,
  type Observation,
  passedStates,
  phaseOf,
  reconcile,
  type StoredSnapshot,
  markExited,
  type TaskEvent,
} from '../../machines/index.ts'
import { HoldfastError } from '../errors.ts'
import { failpoint } from './failpoint.ts'
import { isAlive } from '../spawn/process-table.ts'
import { keeperOf, killLeftovers } from './keeper.ts'
import { observe } from './observe.ts'
import { recordedOutcome } from './recorded-outcome.ts'
import { sharedRows } from './shared-rows.ts'
import { StartRecords } from './start-records.ts'
import { isRemains } from './task-directory.ts'
import type { TaskServices } from './task-services.ts'
import { isTaskSpec, type TaskSpec } from './task-spec.ts'

export type Rehydrated = {
  readonly spec: TaskSpec
  readonly snapshot: StoredSnapshot
  /** The number of the last transition that need not be published again. */
  readonly delivered: number
  /** It had ended and this was known: the snapshot is as stored, and no actor need run for it. */
  readonly final: boolean
  /** What to tell the restored machine first. */
  readonly events: readonly TaskEvent[]
}

/**
 * Reads a stored task, looks at what became of it meanwhile, and decides (machines/reconcile.ts) how to go
 * on. A task that has ended is marked as exited without its actors: none of them may run again for it.
 * Rejects NOT_FOUND, or STATE_CORRUPT for what is kept but cannot be used.
 */
export async function rehydrate(services: TaskServices, key: string): Promise<Rehydrated> {
  try {
    return await lookAndDecide(services, key)
  } catch (error) {
    // Removed by another process under our eyes: what read() says of it is the answer.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') services.state.read(key)
    throw error
  }
}

async function lookAndDecide(services: TaskServices, key: string): Promise<Rehydrated> {
  const { dir, snapshot, spec, stamp } = await waitForLaunchers(services, key)
  const passed = passedStates(snapshot).length
  await showDisk(spec, dir)
  const delivered = Math.min(spec.delivered ?? passed, passed)
  // An end with an exit record is final, whatever lies in the directory now: a `ps` opens thousands of these,
  // and reads one file of each.
  if (snapshot.context.outcome?.evidence === 'record')
    return { spec, snapshot, delivered, final: true, events: [] }
  const seen = await seenAtRest(dir)
  // Somebody else is at work on it, or removes it: what was seen may be of before and after.
  if (services.state.stamp(key) !== stamp) return lookAndDecide(services, key)
  const decision = reconcile(phaseOf(snapshot), seen)
  if (decision.decision === 'quarantine') throw corrupt(decision.reason, dir)
  if (decision.decision === 'resume') {
    const start: TaskEvent = { type: 'START', key, at: Date.now() }
    failpoint('found-running')
    return { spec, snapshot, delivered, final: false, events: [decision.adopt ? start : { type: 'RETRY' }] }
  }
  const survivors = decision.killTree
    ? await killLeftovers(keeperOf(spec.request), new StartRecords(dir, () => null).known())
    : []
  if (decision.decision === 'exited' && decision.record === null)
    return { spec, snapshot, delivered, final: true, events: [] }
  failpoint('found-ended')
  // A record of a start that came to nothing (the program could not be executed) is no proof that it ran.
  const failed = seen.exit !== null && seen.exit !== 'corrupt' && seen.exit.failure !== null
  const start = failed || seen.start === 'corrupt' ? null : seen.start
  const outcome =
    decision.decision === 'exited' && decision.record !== null
      ? recordedOutcome(decision.record)
      : {
          ...lostOutcome(decision.decision === 'lost' ? decision.reason : '', lostAt(seen)),
          startedAt: start?.startedAt ?? null,
          survivors,
        }
  return { spec, snapshot: markExited(snapshot, key, outcome, start), delivered, final: false, events: [] }
}

/** Read where there is one alone. */
async function showDisk({ request: { alloc, resources }, ownAlloc }: TaskSpec, dir: string): Promise<void> {
  if (!ownAlloc || resources?.diskBytes === undefined) return
  await (await import('./disk/image.ts')).showAllocation(dir, alloc.root)
}

/** Milliseconds that a shim is given to go once its record is there: it has its cgroups to remove. */
const goingMs = 2000

/**
 * A record is the word of a shim that has gone, or is about to go: of one that lives on it is not, whatever
 * lies in its place.
 */
async function seenAtRest(dir: string): Promise<Observation> {
  const end = performance.now() + goingMs
  for (;;) {
    const seen = observe(dir)
    if (seen.exit === null || !seen.shimAlive) return seen
    if (performance.now() > end) return { ...seen, exit: null }
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** Of an end in an earlier life of the host nobody knows when it was. */
function lostAt({ sameBoot }: Observation): number | null {
  return sameBoot ? Date.now() : null
}

type StoredTask = {
  readonly dir: string
  readonly snapshot: StoredSnapshot
  readonly spec: TaskSpec
  readonly stamp: string | null
}

/**
 * The one thing that is polled for: a supervisor (or its spawner, which outlives it by a moment) that has
 * written down its intent and may be about to fork the shim. While it lives, an empty directory says nothing;
 * when it is dead, the directory says all: a shim that makes its first trace after that starts nothing
 * (docs/native-protocol.md). Read anew each time: the one who is at work may say how it went.
 */
async function waitForLaunchers(services: TaskServices, key: string): Promise<StoredTask> {
  const dir = services.state.taskDirectory(key)
  for (;;) {
    const stamp = services.state.stamp(key)
    const { spec: stored, snapshot } = readEnvelope(services, key)
    const own = stored as TaskSpec
    const spec = { ...own, enforcement: sharedRows(own.enforcement) }
    const found = { dir, snapshot, spec, stamp }
    if (phaseOf(snapshot) !== 'launching') return found
    // In this order: what a launcher did before it was seen dead is then seen below.
    const mayStillCome = spec.launchers.some(launcher => isAlive(launcher))
    if (observe(dir).traces || !mayStillCome) return found
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

function readEnvelope(services: TaskServices, key: string): Envelope {
  const dir = services.state.taskDirectory(key)
  const text = services.state.read(key)
  if (text === null) {
    if (!isHalfMade(dir)) throw corrupt('task.json is missing', dir)
    throw new HoldfastError(
      'NOT_FOUND',
      `task ${key} was never started, or is removed: there is no task.json`,
      {
        path: dir,
        hint: 'Its supervisor ended while it made or removed it; `holdfast audit --fix` removes the rest.',
      },
    )
  }
  const migrated = migrate(parse(text, dir))
  if ('quarantine' in migrated) throw corrupt(migrated.quarantine, dir)
  if (!isTaskSpec(migrated.ok.spec)) throw corrupt('task.json does not say what the task is', dir)
  return migrated.ok
}

/**
 * What a supervisor leaves that dies before the first task.json is in its place, or after the last one was
 * removed.
 */
function isHalfMade(dir: string): boolean {
  try {
    return isRemains(readdirSync(dir))
  } catch {
    // Gone by now.
    return true
  }
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
