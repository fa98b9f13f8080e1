import { isRecord } from './shape.ts'

/**
 * From version n to n + 1; the version field is set by `migrate()`. May throw: the envelope is quarantined
 * then.
 */
export type Migration = (envelope: Readonly<Record<string, unknown>>) => Record<string, unknown>

/**
 * `migrations[0]` goes from version 1 to 2, and so on: the newest version is one more than there are
 * migrations.
 */
export const migrations: readonly Migration[] = [launchingIsAState]

/**
 * Version 2: `limited` has the states `ready` and `launching`, which was a flag in the context; the number of
 * passed states is not stored any more, because it follows from the rest; the number of published transitions
 * is called `delivered`. What is damaged in any other way stays so, and is found by the checks of the newest
 * version.
 */
function launchingIsAState(envelope: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { spec, snapshot } = envelope
  return { ...envelope, spec: withDelivered(spec), snapshot: withLaunchingState(snapshot) }
}

function withDelivered(spec: unknown): unknown {
  if (!isRecord(spec) || spec.told === undefined) return spec
  const { told, ...rest } = spec
  return { ...rest, delivered: told }
}

function withLaunchingState(snapshot: unknown): unknown {
  if (!isRecord(snapshot) || !isRecord(snapshot.context)) return snapshot
  const { launching, sequence: _, ...context } = snapshot.context
  if (typeof launching !== 'boolean') throw new Error('its context does not say whether it is launching')
  if (snapshot.value === 'limited')
    return { ...snapshot, value: { limited: launching ? 'launching' : 'ready' }, context }
  if (launching) throw new Error(`it is launching in state ${JSON.stringify(snapshot.value)}`)
  return { ...snapshot, context }
}
