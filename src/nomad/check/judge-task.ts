import type { AgentConfig } from '../config/agent-config.ts'
import { isTaskOption, readTaskOptions, type TaskOptions, taskOptionFault } from '../config/task-config.ts'
import { type Value, unknownIn } from '../hcl/scope.ts'
import type { Position } from '../hcl/source.ts'
import { checkLent } from '../tasks/mounts.ts'
import { networkOf } from '../tasks/network.ts'
import { capabilitiesOf, namespacesOf, userOf } from '../tasks/policy.ts'
import { type Origin, origins } from './drivers.ts'
import { type Finding, merged, refusal, refusedBy, type Verdict, worst } from './finding.ts'
import { judgeLogs } from './logs.ts'
import { networkMode, privilegedPorts } from './ports.ts'
import { judgeBlocks } from './task-blocks.ts'
import { type Located, type TaskView, written } from './task-view.ts'

export type TaskReport = {
  readonly group: string
  readonly task: string
  readonly driver: string
  readonly at: Position
  readonly verdict: Verdict | 'other driver'
  readonly options: readonly Finding[]
}

/**
 * What would become of a task on a node whose plugin has this configuration. What is refused is what the
 * driver itself refuses: the same readers and the same rules are asked.
 */
export function judgeTask(view: TaskView, agent: AgentConfig): TaskReport {
  const { group, name, at } = view.task
  const driver = written(view.driver.value).replace(/^"|"$/g, '')
  const about = { group, task: name, driver, at }
  const origin = Object.hasOwn(origins, driver) ? origins[driver] : undefined
  if (origin === undefined) return { ...about, verdict: 'other driver', options: [] }
  const { config, findings } = origin.translate(view)
  const named = view.config
  // Of what is made of other options only what is wrong with it is news.
  const isOfJob = ({ option, verdict }: Finding) =>
    verdict !== 'same' ||
    named.get(option.slice('config.'.length))?.at === config.get(option.slice('config.'.length))?.at
  const options = merged([
    ...judgeOptions(view, config).filter(isOfJob),
    ...findings,
    ...judgeBlocks(view, origin),
    ...judgePolicy(view, config, { origin, agent }),
  ])
  return { ...about, verdict: worst(options.map(({ verdict }) => verdict)), options }
}

type Config = ReadonlyMap<string, Located>

/** Each option by itself, as the driver reads it. */
function judgeOptions(view: TaskView, config: Config): Finding[] {
  const at = view.blocks('config')[0]?.at ?? view.task.at
  const required = config.has('command') ? config : new Map([...config, ['command', { at, value: null }]])
  return Array.from(required, ([name, located]) => {
    const option = `config.${name}`
    // An option that is not known to the driver is refused whatever it says.
    const unknown = isTaskOption(name) ? unknownIn(located.value) : null
    const fault = unknown === null ? taskOptionFault(name, located.value) : null
    if (fault !== null) return refusedBy(fault, option, located.at)
    const why = unknown === null ? null : `depends on ${unknown.text}`
    return { option, verdict: unknown === null ? 'same' : 'unknown', at: located.at, why, change: null }
  })
}

/** What the node lets jobs do, asked as at a start. */
function judgePolicy(
  view: TaskView,
  config: Config,
  { origin, agent }: { origin: Origin; agent: AgentConfig },
): Finding[] {
  const options = readable(config)
  const { body, at } = view.task
  const user = view.attribute(body, 'user') ?? { at, value: '' }
  const where = (name: string) => config.get(name)?.at ?? at
  const isolation = { mode: networkMode(view) === 'host' ? 0 : 1, path: '/', hostsConfig: null }
  const refusals = [
    refusal('user', user.at, () => typeof user.value === 'string' && userOf({ user: user.value }, agent)),
    refusal('config.cap_add', where('cap_add'), () =>
      capabilitiesOf(options.cap_add, agent.allow_capabilities),
    ),
    refusal('config.pid_mode', where('pid_mode'), () => namespacesOf({ ...options, ipc_mode: null }, agent)),
    refusal('config.ipc_mode', where('ipc_mode'), () => namespacesOf({ ...options, pid_mode: null }, agent)),
    refusal('config.egress', where('egress'), () => networkOf(isolation, options.egress)),
    refusal('config.mount', where('mount'), () =>
      options.mount.forEach(({ source }, index) =>
        checkLent(source, agent.allow_mounts, `config.mount[${index}].source`),
      ),
    ),
  ]
  return [
    ...refusals.filter(finding => finding !== null),
    ...otherUser(user, { origin, agent }),
    ...judgeLogs(view, options, agent),
    ...privilegedPorts(view, origin, capabilitiesIf(options, agent)),
  ]
}

/** Of the options those that the driver takes; the rest as if left out. */
function readable(config: Config): TaskOptions {
  const taken = [...config].filter(
    ([name, { value }]) => unknownIn(value) === null && taskOptionFault(name, value) === null,
  )
  const plain: Record<string, Value> = Object.fromEntries(taken.map(([name, { value }]) => [name, value]))
  return readTaskOptions({ command: '-', ...plain })
}

function capabilitiesIf({ cap_add }: TaskOptions, { allow_capabilities }: AgentConfig): readonly string[] {
  try {
    return capabilitiesOf(cap_add, allow_capabilities)
  } catch {
    return []
  }
}

/** Who a task is that names nobody, and what root may do. */
function otherUser(
  { at, value }: Located,
  { origin, agent }: { origin: Origin; agent: AgentConfig },
): Finding[] {
  const differs = (why: string, change: string): Finding[] => [
    { option: 'user', verdict: 'differs', at, why, change },
  ]
  if (origin.user === null) return []
  if (value === '') {
    const here = agent.dynamic_workload_users ? 'a user of its own' : (agent.default_user ?? 'nobody')
    return here === origin.user
      ? []
      : differs(`left out: ${origin.user} there, ${here} here`, 'name the user in the job')
  }
  const isRoot = value === 'root' || (typeof value === 'string' && /^0+$/.test(value))
  return isRoot && agent.allow_root
    ? differs('root without capabilities', 'name what it needs in cap_add, and allow_capabilities')
    : []
}
