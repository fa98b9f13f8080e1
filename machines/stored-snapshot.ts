import { type Phase, phaseOf, type StateValue } from './phase.ts'
import { isRecord } from './shape.ts'
import { actorInputs, type TaskContext, taskContext } from './task-types.ts'
import { taskStates } from './types.ts'

/** What `getPersistedSnapshot()` of the task machine gives, after JSON. */
export type StoredSnapshot = {
  readonly status: 'active' | 'done'
  readonly value: StateValue
  readonly context: TaskContext
  readonly children: Readonly<Record<string, unknown>>
}

/**
 * Why a snapshot cannot be restored, or null when it can. XState would take almost anything: an unknown state
 * only shows as status `error` later, and a child it does not know is dropped silently, which leaves a task
 * that nobody watches.
 */
export function snapshotFault(snapshot: unknown): string | null {
  if (!isRecord(snapshot)) return 'is no object'
  const { status, value, context, children } = snapshot
  if (!isStateValue(value)) return 'is in an unknown state'
  const phase = phaseOf({ value })
  // A snapshot taken after actor.stop() has status `stopped` and restores to a dead actor.
  if (status !== (phase === 'exited' ? 'done' : 'active')) return `has the wrong status for state ${phase}`
  if (!isRecord(context)) return 'has no context'
  if (!isRecord(children)) return 'has no children'
  // The machine remembers no history; XState fails on one it cannot revive.
  if (!isEmpty(snapshot.historyValue)) return 'has a history'
  return contextFault(phase, context) ?? childrenFault(phase, context, children)
}

/** Whether all that the restored machine would do of itself is to watch for the end of its task. */
export function onlyWatches({ value, context }: StoredSnapshot): boolean {
  return value === 'running' && context.stop === null && context.watchFailure === null
}

/** What must not be null, by phase. */
const needed: Record<Phase, readonly (keyof TaskContext)[]> = {
  configured: [],
  limited: [],
  launching: ['key'],
  running: ['key', 'start'],
  stopping: ['key', 'start', 'stop'],
  exited: ['key', 'outcome'],
}

function contextFault(phase: Phase, context: Record<string, unknown>): string | null {
  const fault = taskContext.fault(context)
  if (fault !== null) return `has a damaged context (${fault})`
  const missing = needed[phase].find(name => context[name] === null)
  return missing === undefined ? null : `is ${phase} without ${missing}`
}

function childrenFault(
  phase: Phase,
  context: Record<string, unknown>,
  children: Record<string, unknown>,
): string | null {
  const expected = []
  if (phase === 'launching') expected.push('launch')
  if ((phase === 'running' || phase === 'stopping') && context.watchFailure === null) expected.push('watch')
  const missing = expected.find(id => !isChild(id, children[id], context))
  if (missing !== undefined) return `has lost its actor ${missing}`
  // `stop` is absent once it has done its part.
  const unexpected = Object.entries(children).find(([id, child]) => !isChild(id, child, context))
  return unexpected === undefined ? null : 'has an actor it cannot have'
}

/** An actor that will run again with the input that is stored with it. */
function isChild(id: string, child: unknown, context: Record<string, unknown>): boolean {
  if (!isRecord(child) || child.src !== id || !isRecord(child.snapshot)) return false
  const { status, input } = child.snapshot
  return status === 'active' && fitsActor(id, input) && isRecord(input) && input.key === context.key
}

function fitsActor(id: string, input: unknown): boolean {
  const [, shape] = Object.entries(actorInputs).find(([name]) => name === id) ?? []
  return shape?.fault(input) === null
}

function isEmpty(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length === 0
}

function isStateValue(value: unknown): value is StateValue {
  if (isRecord(value)) return isLimited(value)
  return value !== 'limited' && taskStates.some(state => state === value)
}

const isLimited = (value: Record<string, unknown>): boolean =>
  Object.keys(value).length === 1 && (value.limited === 'ready' || value.limited === 'launching')
