import type { AskedOfKernel, Envelope, ProcessIdentity, StoredSnapshot } from '../../machines/index.ts'
import type { Enforcement } from '../api.ts'
import type { TaskRequest } from '../platform/port.ts'
import type { FileTarget } from '../spawn/spec.ts'
import type { OwnUser } from './own-users/own-users.ts'

/** What task.json keeps of a task besides its snapshot: all that another process needs to take it over. */
export type TaskSpec = {
  readonly request: TaskRequest
  readonly enforcement: readonly Enforcement[]
  /** What the shim was told of its isolation. Absent: it was stored before this was kept. */
  readonly asked?: AskedOfKernel
  readonly logs: { readonly stdout: FileTarget; readonly stderr: FileTarget }
  /** The allocation was made for this task alone, and goes with it. */
  readonly ownAlloc: boolean
  /**
   * Who is starting it: while one of them lives, a directory without any trace of a shim may still come to
   * life.
   */
  readonly launchers: readonly ProcessIdentity[]
  /** The user that is its alone, from the launch on. Absent: it runs as one of this host. */
  readonly ownUser?: OwnUser
  /**
   * The number of the last transition that need not be published again. Absent: that of the last one the
   * snapshot has passed.
   */
  readonly delivered?: number
}

/** What of a task does not change from one task.json to the next, for {@link toEnvelope}. */
export function specText(spec: TaskSpec): string {
  const rest = JSON.stringify({ ...spec, enforcement: undefined, delivered: undefined })
  return `${rest.slice(0, -1)},"enforcement":[${spec.enforcement.map(rowText).join(',')}]}`
}

/** Most rows are the same objects for all tasks of a kind, and two thirds of the whole. */
const rowTexts = new WeakMap<Enforcement, string>()

function rowText(row: Enforcement): string {
  const known = rowTexts.get(row) ?? JSON.stringify(row)
  rowTexts.set(row, known)
  return known
}

/** The text of task.json, of `spec` as {@link specText} gives it. */
export function toEnvelope(
  spec: string,
  delivered: number | undefined,
  snapshot: StoredSnapshot | null,
  savedAt = Date.now(),
): string {
  const { format, version }: Pick<Envelope, 'format' | 'version'> = { format: 'holdfast.task', version: 2 }
  const head = `{"format":"${format}","version":${version},"savedAt":${savedAt}`
  const own = delivered === undefined ? spec : `${spec.slice(0, -1)},"delivered":${delivered}}`
  return `${head},"spec":${own},"snapshot":${JSON.stringify(snapshot)}}`
}

/**
 * The envelope's own checks are migrate()'s; this looks at the parts that are used without further question.
 */
export function isTaskSpec(spec: unknown): spec is TaskSpec {
  const { request, enforcement, logs, launchers } = (spec ?? {}) as Partial<TaskSpec>
  return (
    typeof request?.key === 'string' &&
    typeof request.name === 'string' &&
    (request.platform === 'basic' || request.platform === 'linux') &&
    typeof request.command?.path === 'string' &&
    typeof request.alloc?.root === 'string' &&
    Array.isArray(enforcement) &&
    enforcement.every(row => typeof row === 'object' && row !== null) &&
    Array.isArray(launchers) &&
    typeof logs?.stdout?.path === 'string' &&
    typeof logs.stderr?.path === 'string'
  )
}
