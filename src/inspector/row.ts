import type { Cause, Executor, TaskState } from '../index.ts'
import { redacted } from './redact.ts'

/**
 * What the list shows of a task. Times are milliseconds since the epoch. Nothing of the environment; of the
 * arguments, how many.
 */
export type Row = {
  readonly key: string
  readonly name: string
  readonly state: TaskState
  readonly labels: Readonly<Record<string, string>>
  readonly program: string
  readonly argumentCount: number
  /** Only where the inspector was told to show them. */
  readonly arguments?: readonly string[]
  readonly pid: number | null
  readonly startedAt: number | null
  readonly exitedAt: number | null
  /** When the whole tree is killed, of a task that is being stopped. */
  readonly killAt: number | null
  readonly cause: Cause | null
  readonly exitCode: number | null
  readonly oomKilled: boolean
  readonly evidence: 'record' | 'inferred' | null
  readonly failure: Readonly<Record<'message' | 'stage' | 'errno' | 'hint', string | null>> | null
}

export function rowOf(task: Executor, showArguments: boolean): Row {
  const { context, command, state } = task
  const { outcome, start, stop, stopFailure } = context
  const failure = outcome?.failure ?? stopFailure
  const clean = (text: string): string => redacted(text, command.env)
  return {
    key: task.key,
    name: task.name,
    state,
    labels: cleanLabels(command.labels ?? {}, clean),
    program: clean(command.path),
    argumentCount: command.args.length,
    ...(showArguments && { arguments: command.args }),
    pid: outcome === null ? (start?.task.pid ?? null) : null,
    startedAt: outcome?.startedAt ?? start?.startedAt ?? null,
    exitedAt: outcome?.exitedAt ?? null,
    killAt: state === 'stopping' ? (stop?.killAt ?? null) : null,
    cause: outcome?.cause ?? null,
    exitCode: outcome?.exitCode ?? null,
    oomKilled: outcome?.oomKilled ?? false,
    evidence: outcome?.evidence ?? null,
    failure:
      failure === null || failure === undefined
        ? null
        : {
            message: clean(failure.message),
            stage: failure.stage ?? null,
            errno: failure.errno ?? null,
            hint: failure.hint === undefined ? null : clean(failure.hint),
          },
  }
}

function cleanLabels(labels: Readonly<Record<string, string>>, clean: (text: string) => string) {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [clean(name), clean(value)]))
}
