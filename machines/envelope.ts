import { type Migration, migrations } from './migrations.ts'
import { isRecord } from './shape.ts'
import { type StoredSnapshot, snapshotFault } from './stored-snapshot.ts'

/**
 * task.json: what was asked for, and the machine's snapshot. XState stores neither a version nor a name,
 * hence this.
 */
export type Envelope = {
  readonly format: 'holdfast.task'
  readonly version: 2
  /** Milliseconds since the epoch. */
  readonly savedAt: number
  /** What was asked for; whoever reads it checks it. */
  readonly spec: unknown
  readonly snapshot: StoredSnapshot
}

/**
 * Brings whatever JSON was found in task.json to the newest version, or says why it cannot be used. Never
 * throws and does not change `raw`; what is quarantined is kept as it is, for people and for newer versions
 * of this library.
 */
export function migrate(
  raw: unknown,
  chain: readonly Migration[] = migrations,
): { readonly ok: Envelope } | { readonly quarantine: string } {
  const newest = chain.length + 1
  if (!isRecord(raw)) return { quarantine: `task.json holds ${kindOf(raw)} instead of an object` }
  if (raw.format !== 'holdfast.task') return { quarantine: 'task.json is not of format holdfast.task' }
  const version = raw.version
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1)
    return { quarantine: 'task.json has no valid version' }
  if (version > newest)
    return {
      quarantine: `task.json is of version ${version}, this library knows up to ${newest}: it needs a newer holdfast`,
    }
  return climb(raw, version, chain)
}

function climb(
  raw: Record<string, unknown>,
  from: number,
  chain: readonly Migration[],
): ReturnType<typeof migrate> {
  let envelope = raw
  for (const [step, migration] of chain.entries()) {
    if (step + 1 < from) continue
    try {
      envelope = { ...migration(envelope), version: step + 2 }
    } catch (error) {
      return {
        quarantine: `task.json could not be brought from version ${step + 1} to ${step + 2}: ${String(error)}`,
      }
    }
  }
  const fault = envelopeFault(envelope)
  return fault === null ? { ok: envelope as Envelope } : { quarantine: fault }
}

function envelopeFault(envelope: Record<string, unknown>): string | null {
  if (!Number.isFinite(envelope.savedAt)) return 'task.json has no valid savedAt'
  if (!isRecord(envelope.spec)) return `task.json has ${kindOf(envelope.spec)} for a spec`
  const fault = snapshotFault(envelope.snapshot)
  return fault === null ? null : `the snapshot in task.json ${fault}`
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`
}
