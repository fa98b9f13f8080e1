import { HoldfastError } from '../../index.ts'
import { type AgentConfig, readAgentConfig } from '../config/agent-config.ts'
import { parseBody } from '../hcl/parse.ts'
import { Scope, type Value } from '../hcl/scope.ts'
import { Source } from '../hcl/source.ts'
import type { Body } from '../hcl/syntax.ts'
import { driverName } from '../version.ts'
import { worst } from './finding.ts'
import { readJobFile } from './job-file.ts'
import { judgeTask, type TaskReport } from './judge-task.ts'
import { TaskView } from './task-view.ts'

export { type Difference, differences } from './differences.ts'
export type { Finding, Verdict } from './finding.ts'
export type { TaskReport } from './judge-task.ts'

export type JobReport = {
  readonly job: string
  /** `same`: nothing of it would behave otherwise, as far as the file says. */
  readonly verdict: 'same' | 'unknown' | 'differs' | 'refused'
  readonly tasks: readonly TaskReport[]
}

type File = { readonly name: string; readonly text: string }

/**
 * What of a job would behave otherwise under the holdfast driver than under the one that it names, on a node
 * whose plugin has this configuration. Throws INVALID_ARGUMENT that starts with `file:line:column` where the
 * file is no job file.
 */
export function checkJob(
  { name, text }: File,
  agent: AgentConfig = readAgentConfig({}),
  variables: ReadonlyMap<string, string> = new Map(),
): JobReport {
  const { job, tasks, scope } = readJobFile(name, text, variables)
  const reports = tasks.map(task => judgeTask(new TaskView(task, scope), agent))
  const verdicts = reports.flatMap(({ verdict }) => (verdict === 'other driver' ? [] : [verdict]))
  return { job, verdict: worst(verdicts), tasks: reports }
}

/**
 * The plugin's part of an agent's configuration. Throws INVALID_ARGUMENT where the file cannot be read, has
 * no `plugin "holdfast"`, or one that the plugin itself would refuse.
 */
export function pluginConfig({ name, text }: File): AgentConfig {
  const source = new Source(name, text)
  const file = parseBody(source)
  const plugin = file.blocks.find(({ type, labels }) => type === 'plugin' && labels[0] === driverName)
  if (plugin === undefined) throw source.error(0, `has no plugin "${driverName}" block`)
  const config = plugin.body.blocks.find(({ type }) => type === 'config')?.body
  const scope = new Scope(file)
  try {
    return readAgentConfig(config === undefined ? {} : valuesOf(config, scope))
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    const { line } = plugin.at
    throw new HoldfastError('INVALID_ARGUMENT', `${name}:${line}: ${error.message}`, { hint: error.hint })
  }
}

/** Its attributes and its blocks, as the agent hands them on. */
function valuesOf({ attributes, blocks }: Body, scope: Scope): Readonly<Record<string, Value>> {
  return Object.fromEntries([
    ...Array.from(attributes, ([name, { value }]) => [name, scope.valueOf(value)] as const),
    ...blocks.map(({ type, body }) => [type, valuesOf(body, scope)] as const),
  ])
}
