import { kernelFacts } from './in-force.ts'
import { integer, listOf, nullable, object, oneOf, text, type ValueOf } from './shape.ts'

/**
 * enforced.json: written by the native shim, of what the kernel said was in force of the task's process when
 * it had done all but exec. Absent: another shim, or one that was killed before.
 */
export type EnforcedRecord = ValueOf<typeof enforcedRecord>
export const enforcedRecord = object({
  format: oneOf('holdfast.enforced'),
  version: oneOf(1),
  /** Milliseconds since the epoch. */
  at: integer(0, 8.64e15),
  /** Of the shim, which the task's are compared with. */
  shim: kernelFacts,
  task: kernelFacts,
  /** The files of its cgroups that were written to, and what they said afterwards. */
  files: listOf(object({ path: text, text })),
  /** /proc/PID/cgroup; null: it could not be read. */
  cgroups: nullable(text),
  /** /proc/PID/limits; null: none were asked for, or it could not be read. */
  limits: nullable(text),
})
