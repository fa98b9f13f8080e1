export * from './chart.ts'
export * from './decisions.ts'
export * from './envelope.ts'
export * from './failure.ts'
export * from './outcome.ts'
export type { Cause, Failure, FailureCode, LimitsHit, Outcome } from './outcome-types.ts'
export { enforcedRecord, type EnforcedRecord } from './enforced-record.ts'
export { askedOfKernel, type AskedOfKernel, kernelFacts, type KernelFacts } from './in-force.ts'
export * from './migrations.ts'
export * from './passed-states.ts'
export * from './phase.ts'
export * from './reconcile.ts'
export * from './restore.ts'
export type { Shape, ValueOf } from './shape.ts'
export {
  type ExitRecord,
  exitRecord,
  type LimitCounts,
  type ProcessIdentity,
  type StartRecord,
  startRecord,
  type StopRecord,
  uncounted,
  unmeasured,
} from './shim-records.ts'
export { onlyWatches, type StoredSnapshot, snapshotFault } from './stored-snapshot.ts'
export * from './task.ts'
export * from './task-types.ts'
export * from './types.ts'
