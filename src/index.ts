export type { Cause, FailureCode, TaskContext, TaskState } from '../machines/index.ts'
export { AllocDir } from './alloc/alloc-dir.ts'
export type { TaskPaths } from './alloc/task-paths.ts'
export type {
  Command,
  Enforcement,
  Executor,
  EgressDecision,
  HistoryEntry,
  IoLimit,
  LimitsHit,
  LogOptions,
  OutputChunk,
  OutputLine,
  LogRotation,
  Mount,
  Namespace,
  Pressure,
  Resources,
  Rlimit,
  RlimitName,
  RunningTask,
  RunOptions,
  RunResult,
  ShutdownOptions,
  StopTarget,
  StartOptions,
  TerminalSize,
  Tmpfs,
  Workspace,
  ApplyOptions,
  Change,
  FilePatch,
  PatchOptions,
  Usage,
  UsageDetail,
  Verification,
  VerifiedRow,
  WaitResult,
  TaskUpdate,
} from './api.ts'
export { audit, type AuditOptions, type AuditReport, type Leftover } from './audit/audit.ts'
export type { LeftoverKind } from './audit/found.ts'
export { fingerprint, type HostReport, type HostRow, type RunReport } from './doctor/index.ts'
export type { Refusal } from './doctor/host-report.ts'
export { openTrusted } from './alloc/open-trusted.ts'
export { HoldfastError, type HoldfastErrorDetails } from './errors.ts'
export type { HostFacts } from './platform/host-facts.ts'
export type { PlatformName } from './platform/port.ts'
export { shortfalls } from './shortfalls.ts'
export {
  command,
  newBasicExecutor,
  newExecutor,
  newLinuxExecutor,
  openId,
  run,
} from './supervisor/default-supervisor.ts'
export type { OpenReport } from './supervisor/open-all.ts'
export type { PruneOptions, Retention } from './supervisor/retention.ts'
export type { Orphans, SupervisorOptions } from './supervisor/options.ts'
export type { Element as DrawingElement } from './graph/drawing.ts'
export { type GraphFormat, taskDrawing, taskGraph } from './graph/task-graph.ts'
export { runDefaults } from './supervisor/run-defaults.ts'
export { defaultStateDir } from './supervisor/state-dir.ts'
export type { TaskHistoryEntry, TaskLabel, TaskResult, TaskTransition } from './supervisor/streams.ts'
export { Supervisor } from './supervisor/supervisor.ts'
export type { TasksUsage } from './supervisor/usage.ts'
export { makeFifos } from './spawn/fifos.ts'
export { makeTerminalRaw, type TerminalKeeper } from './spawn/terminal-keeper.ts'
export { inputIsWaiting } from './spawn/waiting-input.ts'
export { namedOnlyOnHost, type OnlyOnHost, pathOnlyOnHost, shadowsOnHost } from './command/only-on-host.ts'
export { toolchains, type ToolchainOptions, type Toolchains } from './command/toolchains.ts'
export { numberOfSignal, readSignal } from './signals.ts'
export { untrusted } from './command/untrusted.ts'
export { setCommand } from './task/set-command.ts'
