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

export function toEnvelope(spec: TaskSpec, snapshot: unknown, savedAt = Date.now()): string {
  const envelope: Envelope = {
    format: 'holdfast.task',
    version: 2,
    savedAt,
    spec,
    snapshot: snapshot as StoredSnapshot,
  }
  return JSON.stringify(envelope)
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
    Array.isArray(launchers) &&
    typeof logs?.stdout?.path === 'string' &&
    typeof logs.stderr?.path === 'string'
  )
}
