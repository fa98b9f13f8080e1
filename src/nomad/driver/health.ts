import type { HostReport, HostRow } from '../../index.ts'
import type { AgentConfig } from '../config/agent-config.ts'
import { driverName, version } from '../version.ts'

const healthState = { undetected: 0, unhealthy: 1, healthy: 2 } as const

export type Fingerprint = {
  readonly attributes: Readonly<Record<string, object>>
  readonly health: number
  readonly health_description: string
}

/** What no job can ask for, or only of its own accord: a host without it runs all the others in full. */
const optional = new Set(['cgroup.io', 'disk', 'overlay'])

/**
 * What `doctor` says, as the agent wants to hear it. Healthy is a node on which a task gets all of its limits
 * and all of its isolation; with `allow_weakened` also one that says what is missing.
 */
export function fingerprintOf(
  { rows, mode, defaultRun }: Pick<HostReport, 'rows' | 'mode' | 'defaultRun'>,
  { enabled, allow_weakened }: Pick<AgentConfig, 'enabled' | 'allow_weakened'>,
): Fingerprint {
  if (!enabled) return undetected('disabled in the plugin configuration')
  const passed = passedByStrict(defaultRun)
  const short = rows.filter(
    ({ name, status }) => status !== 'yes' && !optional.has(name) && !passed.has(name),
  )
  const kernel = short.find(({ name }) => name === 'kernel')
  if (kernel !== undefined) return undetected(sentence(kernel))
  const attributes = attributesOf(mode.cgroup, short)
  // Nothing is started then, however little the node is content with.
  if (defaultRun.refused !== null) {
    const why = sentence({ name: 'no task can be started', ...defaultRun.refused })
    return { attributes, health: healthState.unhealthy, health_description: why }
  }
  if (short.length === 0) return { attributes, health: healthState.healthy, health_description: 'Healthy' }
  return {
    attributes,
    health: allow_weakened ? healthState.healthy : healthState.unhealthy,
    health_description: `${allow_weakened ? 'weakened' : 'not everything can be enforced'}: ${short.map(sentence).join('; ')}`,
  }
}

/**
 * A second wall that this kernel has in part only, behind a first that stands, is no shortfall of a task. Of
 * the network the report's own row tells: that of a task without one.
 */
function passedByStrict({ enforcement, weakened }: HostReport['defaultRun']): ReadonlySet<string> {
  const isShort = new Set(weakened.map(({ name }) => name).concat('network'))
  return new Set(enforcement.map(({ name }) => name).filter(name => !isShort.has(name)))
}

function undetected(why: string): Fingerprint {
  return { attributes: {}, health: healthState.undetected, health_description: why }
}

/** Never `driver.holdfast` itself: the agent sets that. */
function attributesOf(
  cgroup: HostReport['mode']['cgroup'],
  short: readonly HostRow[],
): Record<string, object> {
  const texts = {
    version: version(),
    cgroup,
    isolation: short.length === 0 ? 'full' : 'weakened',
    node_version: process.versions.node,
  }
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [`driver.${driverName}.${name}`, { string_val: text }]),
  )
}

function sentence({ name, why, hint }: Omit<HostRow, 'status'>): string {
  return hint === null ? `${name}: ${why}` : `${name}: ${why} (${hint})`
}
