import { parseBody, parseJson } from '../hcl/parse.ts'
import { Scope } from '../hcl/scope.ts'
import { type Position, Source } from '../hcl/source.ts'
import type { Body, Expression } from '../hcl/syntax.ts'
import { jobOfJson } from './api-json.ts'

export type JobTask = {
  readonly group: string
  readonly name: string
  readonly at: Position
  readonly body: Body
  /** The group's. */
  readonly around: Body
}

export type JobFile = {
  readonly job: string
  readonly tasks: readonly JobTask[]
  readonly scope: Scope
}

/**
 * The tasks of a job file: HCL2, or the JSON of Nomad's API where the name ends with `.json`. `variables`:
 * what its variables are, over their defaults. Throws INVALID_ARGUMENT that starts with
 * `file:line:column` for what is not of the language, or has no job.
 */
export function readJobFile(
  name: string,
  text: string,
  variables: ReadonlyMap<string, string> = new Map(),
): JobFile {
  const source = new Source(name, text)
  const file = name.endsWith('.json') ? jobOfJson(source, parseJson(source)) : parseBody(source)
  const job = file.blocks.find(({ type }) => type === 'job')
  if (job === undefined) throw source.error(0, 'a job file has a job block, this one has none')
  // Nomad makes a group of its own for a task that is in none.
  const alone = job.body.blocks.filter(({ type }) => type === 'task')
  const groups = job.body.blocks.filter(({ type }) => type === 'group')
  return {
    job: job.labels[0] ?? '',
    tasks: [
      ...alone.map(task => taskOf(task, task.labels[0] ?? '', job.body)),
      ...groups.flatMap(group => tasksOf(group.body, group.labels[0] ?? '')),
    ],
    scope: new Scope(file, new Map([...variables].map(([key, value]) => [key, given(value)]))),
  }
}

function tasksOf(group: Body, name: string): JobTask[] {
  return group.blocks.filter(({ type }) => type === 'task').map(task => taskOf(task, name, group))
}

function taskOf({ labels, at, body }: Body['blocks'][number], group: string, around: Body): JobTask {
  return { group, name: labels[0] ?? '', at, body, around }
}

function given(value: string): Expression {
  return { kind: 'template', at: { line: 1, column: 1 }, parts: [value] }
}
