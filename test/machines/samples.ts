import { createActor, fromCallback, fromPromise } from 'xstate'
import {
  type ExitRecord,
  type LaunchInput,
  type LaunchOutput,
  lostOutcome,
  type Outcome,
  type Phase,
  persistTask,
  type StartRecord,
  type StopInput,
  type StoredSnapshot,
  type TaskEvent,
  taskMachine,
  type WatchInput,
} from '../../machines/index.ts'

export const startRecord: StartRecord = {
  format: 'holdfast.start',
  version: 1,
  shim: { pid: 100, startTime: 5000 },
  task: { pid: 102, startTime: 5001 },
  init: { pid: 101, startTime: 5001 },
  bootId: '0f0f0f0f-0000-4000-8000-000000000000',
  startedAt: 1_700_000_000_010,
  cgroups: ['/sys/fs/cgroup/pids/holdfast/web'],
}

export const exitRecord: ExitRecord = {
  format: 'holdfast.exit',
  version: 1,
  exitCode: 0,
  signal: null,
  coreDumped: false,
  rusage: { userUs: 1500, systemUs: 250, maxRssKb: 2 },
  startedAt: 1_700_000_000_010,
  exitedAt: 1_700_000_000_900,
  oomKills: 0,
  stop: null,
  survivors: [],
  logsComplete: true,
  limitsHit: { pidsRefused: 2, memoryHigh: null, throttledUs: 1500, egressDenied: null, logBytesDropped: 0 },
  memory: { peakBytes: 4096, limitBytes: null },
  failure: null,
}

export const outcome: Outcome = lostOutcome('for the test', 1_700_000_001_000)

export const start: TaskEvent = { type: 'START', key: 'web-1', at: 1_700_000_000_000 }
export const stop: TaskEvent = { type: 'STOP', signal: 'SIGTERM', graceMs: 5000, at: 1_700_000_000_100 }
export const kill: TaskEvent = { type: 'KILL', at: 1_700_000_000_200 }
export const exited: TaskEvent = { type: 'EXITED', outcome, at: 1_700_000_001_000 }
export const launched: TaskEvent = { type: 'xstate.done.actor.launch', output: { start: startRecord } }
export const launchFailed: TaskEvent = {
  type: 'xstate.error.actor.launch',
  error: {
    failure: { code: 'START_FAILED', message: 'no such program', stage: 'exec', errno: 'ENOENT' },
    at: 7,
  },
}

/** The events that lead a new task into a phase. */
export const wayTo: Readonly<Record<Phase, readonly TaskEvent[]>> = {
  configured: [],
  limited: [{ type: 'LIMIT' }],
  launching: [{ type: 'LIMIT' }, start],
  running: [start, launched],
  stopping: [start, launched, stop],
  exited: [start, launched, exited],
}

export type Call =
  | { readonly actor: 'launch'; readonly input: LaunchInput }
  | { readonly actor: 'watch' | 'unwatch'; readonly input: WatchInput }
  | { readonly actor: 'stop'; readonly input: StopInput }

/**
 * The machine with actors that only write down that they were started; they end when the test says so, by
 * events.
 */
export function recordingMachine(calls: Call[] = []): typeof taskMachine {
  return taskMachine.provide({
    actors: {
      launch: fromPromise<LaunchOutput, LaunchInput>(({ input }) => {
        calls.push({ actor: 'launch', input })
        return new Promise(() => {})
      }),
      watch: fromCallback<TaskEvent, WatchInput>(({ input }) => {
        calls.push({ actor: 'watch', input })
        return () => {
          calls.push({ actor: 'unwatch', input })
        }
      }),
      stop: fromPromise<void, StopInput>(({ input }) => {
        calls.push({ actor: 'stop', input })
        return new Promise(() => {})
      }),
    },
  })
}

/** A running actor that has been sent `events`. */
export function taskAfter(events: readonly TaskEvent[], calls: Call[] = []) {
  const actor = createActor(recordingMachine(calls), { input: { name: 'web' } })
  actor.start()
  for (const event of events) actor.send(event)
  return actor
}

export function storedAt(phase: Phase): StoredSnapshot {
  return persistTask(taskAfter(wayTo[phase]))
}
