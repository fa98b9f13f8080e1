import type { AgentConfig } from '../config/agent-config.ts'
import type { TaskOptions } from '../config/task-config.ts'
import { type Value, unknownIn } from '../hcl/scope.ts'
import { fitted, ofNode } from '../tasks/kept-logs.ts'
import type { Finding } from './finding.ts'
import type { TaskView } from './task-view.ts'

type Size = 'max_files' | 'max_file_size'
type Difference = Pick<Finding, 'verdict' | 'why' | 'change'>

/** What a node that collects by itself makes of the job's `logs` block. */
export function judgeLogs(view: TaskView, { logs }: TaskOptions, agent: AgentConfig): Finding[] {
  if (!agent.collect_logs) return []
  return view
    .blocks('logs')
    .filter(({ body }) => view.attribute(body, 'disabled')?.value !== true)
    .flatMap(({ body }) =>
      (['max_files', 'max_file_size'] as const).flatMap((size): Finding[] => {
        const said = view.attribute(body, size)
        const found = said && (ofConfig(said.value, logs[size]) ?? ofAgent(size, said.value, agent))
        return found && found.verdict !== 'same' ? [{ option: `logs.${size}`, at: said.at, ...found }] : []
      }),
    )
}

const same: Difference = { verdict: 'same', why: null, change: null }

/** Null: `config.logs` does not say it. */
function ofConfig(said: Value, here: number | null): Difference | null {
  if (here === null) return null
  return here === said ? same : differs(`config.logs says ${here}, which counts`, 'say the same in both')
}

function ofAgent(size: Size, said: Value, agent: AgentConfig): Difference {
  if (agent.agent !== null) {
    if (size !== 'max_files' || typeof said !== 'number') return same
    const { maxFiles } = fitted({ maxFiles: said, maxFileMiB: 1 })
    if (maxFiles === said) return same
    return differs(`${maxFiles} files that together take as much`, 'make it 2 to 100')
  }
  const { maxFiles, maxFileMiB } = ofNode(agent)
  const here = size === 'max_files' ? maxFiles : maxFileMiB
  if (here === said) return same
  const unknown = unknownIn(said)
  if (unknown !== null) return { verdict: 'unknown', why: `depends on ${unknown.text}`, change: null }
  return differs(
    `the driver is not told, and takes ${here}`,
    'name the agent in the plugin configuration (agent { }), or say it as config { logs { } } too',
  )
}

function differs(why: string, change: string): Difference {
  return { verdict: 'differs', why, change }
}
