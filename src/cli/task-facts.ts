import type { Cause, Executor, TaskState } from '../index.ts'

/** What is known of a task, in one flat record: a row of `ps`. */
export type TaskFacts = {
  readonly key: string
  readonly name: string
  readonly id: string
  readonly state: TaskState
  /** The leader's, on the host; null before the start and after the end. */
  readonly pid: number | null
  readonly startedAt: Date | null
  readonly exitedAt: Date | null
  readonly cause: Cause | null
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly labels: Readonly<Record<string, string>>
  /** Program and arguments. The environment may hold secrets, and is in no output. */
  readonly command: readonly string[]
}

export async function factsOf(key: string, task: Executor): Promise<TaskFacts> {
  const { context } = task
  const result = context.outcome === null ? null : await task.wait()
  const startedAt = context.start?.startedAt
  return {
    key,
    name: context.name,
    // Only a task that was never started has none, and that one is in no state directory.
    id: task.id(),
    state: task.state,
    pid: result === null ? (context.start?.task.pid ?? null) : null,
    startedAt: result?.startedAt ?? (startedAt === undefined ? null : new Date(startedAt)),
    exitedAt: result?.exitedAt ?? null,
    cause: result?.cause ?? null,
    exitCode: result?.exitCode ?? null,
    signal: result?.signal ?? null,
    labels: task.command.labels ?? {},
    command: [task.command.path, ...task.command.args],
  }
}
