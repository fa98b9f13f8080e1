/** Compiled by `npm run typecheck`, never run: what a call gives. */
import type { Readable } from 'node:stream'
import { expectTypeOf } from 'expect-type'
import type { Observable } from 'rxjs'
import {
  type Cause,
  command,
  type Enforcement,
  type Executor,
  type FailureCode,
  type HistoryEntry,
  HoldfastError,
  type LimitsHit,
  openId,
  type OutputChunk,
  type OutputLine,
  run,
  type RunResult,
  Supervisor,
  type TaskState,
  type Usage,
  type WaitResult,
} from '../../src/index.ts'

// Unions that callers switch over: a member more or less is a change of the public surface.
expectTypeOf<TaskState>().toEqualTypeOf<'configured' | 'limited' | 'running' | 'stopping' | 'exited'>()
expectTypeOf<Cause>().toEqualTypeOf<
  'exited' | 'signaled' | 'shutdown' | 'forced' | 'oom' | 'timeout' | 'output' | 'startFailed' | 'lost'
>()
expectTypeOf<FailureCode>().toEqualTypeOf<
  | ('INVALID_ARGUMENT' | 'INVALID_STATE' | 'NOT_FOUND' | 'START_FAILED' | 'LIMIT_FAILED')
  | ('ISOLATION_FAILED' | 'STATE_CORRUPT' | 'UNSUPPORTED' | 'LOST' | 'PERMISSION')
>()
expectTypeOf<Enforcement['status']>().toEqualTypeOf<'enforced' | 'weakened' | 'skipped'>()
expectTypeOf<Enforcement['kind']>().toEqualTypeOf<'limit' | 'isolation'>()
expectTypeOf<WaitResult['evidence']>().toEqualTypeOf<'record' | 'inferred'>()

// What may be unknown is null, and has to be asked for.
const result = await command('ls').wait()
expectTypeOf(result).toEqualTypeOf<WaitResult>()
expectTypeOf(result.exitCode).toEqualTypeOf<number | null>()
expectTypeOf(result.signal).toEqualTypeOf<NodeJS.Signals | null>()
expectTypeOf(result.error).toEqualTypeOf<HoldfastError | null>()
expectTypeOf(result.startedAt).toEqualTypeOf<Date | null>()
expectTypeOf<LimitsHit[keyof LimitsHit]>().toEqualTypeOf<number | null>()
expectTypeOf<Omit<Usage, 'at' | 'pressure'>>().toExtend<Record<string, number | null>>()
// @ts-expect-error an exit code may be null
result.exitCode.toFixed()

// Every call of a task.
const task: Executor = command('ls')
expectTypeOf(task.id()).toEqualTypeOf<string>()
expectTypeOf(task.shutdown()).toEqualTypeOf<Promise<WaitResult>>()
expectTypeOf(task.forceStop()).toEqualTypeOf<Promise<WaitResult>>()
expectTypeOf(task.state$).toEqualTypeOf<Observable<TaskState>>()
expectTypeOf(task.enforcement).toEqualTypeOf<readonly Enforcement[]>()
expectTypeOf(task.usage()).toEqualTypeOf<Promise<Usage>>()
expectTypeOf(task.usage$(100)).toEqualTypeOf<Observable<Usage>>()
expectTypeOf(task.destroy()).toEqualTypeOf<Promise<void>>()
for await (const bytes of task.logs$('stdout')) expectTypeOf(bytes).toEqualTypeOf<Uint8Array>()
for await (const chunk of task.output$({ follow: true })) expectTypeOf(chunk).toEqualTypeOf<OutputChunk>()
// @ts-expect-error rows are for reading
task.enforcement.pop()
// @ts-expect-error a state is the machine's to change
task.state = 'exited'
{
  await using scoped = command('ls')
  expectTypeOf(scoped).toEqualTypeOf<Executor>()
}

// run(): a promise of a result, with its output meanwhile.
const running = run('ls')
expectTypeOf(await running).toEqualTypeOf<RunResult>()
expectTypeOf(running.stdout).toEqualTypeOf<Readable>()
expectTypeOf(running.task).toEqualTypeOf<Executor>()
for await (const line of running) expectTypeOf(line).toEqualTypeOf<OutputLine>()
expectTypeOf<RunResult>().toExtend<WaitResult>()
expectTypeOf<RunResult['output']>().toEqualTypeOf<string>()

// Supervisors.
const supervisor = new Supervisor()
expectTypeOf(openId('id')).toEqualTypeOf<Promise<Executor>>()
expectTypeOf(supervisor.open('id')).toEqualTypeOf<Promise<Executor>>()
expectTypeOf(supervisor.tasks).toEqualTypeOf<ReadonlyMap<string, Executor>>()
expectTypeOf(supervisor.history('key')).toEqualTypeOf<Promise<HistoryEntry[]>>()
expectTypeOf(supervisor.prune({ count: 10, dryRun: true })).toEqualTypeOf<Promise<string[]>>()
expectTypeOf(supervisor.shutdown()).toEqualTypeOf<Promise<WaitResult[]>>()
expectTypeOf(supervisor.usage$(1000)).toEqualTypeOf<Observable<ReadonlyMap<string, Usage>>>()
supervisor.results$.subscribe(({ task: { key, name }, cause }) => {
  expectTypeOf([key, name]).toEqualTypeOf<string[]>()
  expectTypeOf(cause).toEqualTypeOf<Cause>()
})
supervisor.transitions$.subscribe(({ from, to, sequence, at }) => {
  expectTypeOf([from, to]).toEqualTypeOf<TaskState[]>()
  expectTypeOf(sequence).toEqualTypeOf<number>()
  expectTypeOf(at).toEqualTypeOf<Date>()
})
// @ts-expect-error the map of tasks is for reading
supervisor.tasks.clear()

// Errors.
const error = new HoldfastError('NOT_FOUND', 'there is no such task', { hint: 'holdfast ps' })
expectTypeOf(error.code).toEqualTypeOf<FailureCode>()
expectTypeOf(error.stage).toEqualTypeOf<string | undefined>()
expectTypeOf(error).toExtend<Error>()
// @ts-expect-error no such code
new HoldfastError('ENOENT', 'there is no such task')
