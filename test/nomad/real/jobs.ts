import type { RealAgent } from './agent.ts'
import { until } from '../support/until.ts'

export type Allocation = {
  readonly ID: string
  readonly NodeID: string
  readonly ClientStatus: string
  readonly DesiredStatus: string
  readonly AllocatedResources?: {
    readonly Shared: { readonly Ports: readonly { readonly Label: string; readonly Value: number }[] | null }
  }
  readonly NetworkStatus?: { readonly Address: string } | null
  readonly TaskStates: Readonly<Record<string, TaskState>> | null
}
export type TaskState = {
  readonly State: string
  readonly Failed: boolean
  readonly Restarts: number
  readonly Events: readonly {
    readonly Type: string
    readonly DisplayMessage: string
    readonly Details: Readonly<Record<string, string>>
  }[]
}

/** Of a job's parts, by the names that Nomad's HTTP interface has for them. */
export type Fields = Readonly<Record<string, unknown>>

/**
 * A task of the driver's, as Nomad's HTTP interface has it: a shell script, unless `more.Config` says
 * otherwise.
 */
export function shellTask(name: string, script: string, more: Fields & { readonly Config?: object } = {}) {
  return {
    Name: name,
    Driver: 'holdfast',
    KillSignal: 'SIGTERM',
    KillTimeout: 5e9,
    Resources: { CPU: 100, MemoryMB: 64 },
    ...more,
    Config: { command: '/bin/sh', args: ['-c', script], ...more.Config },
  }
}

/**
 * Submits a job of one group, whose tasks are never restarted, and resolves to its allocation, once there is
 * one.
 */
export async function runGroup(
  agent: RealAgent,
  id: string,
  type: 'batch' | 'service',
  group: Fields & { readonly Tasks: readonly object[] },
  namespace = 'default',
): Promise<Allocation> {
  const never = { Attempts: 0, Interval: 6e11, Delay: 1e9, Mode: 'fail' }
  const whole = {
    Name: 'g',
    Count: 1,
    RestartPolicy: never,
    ...(type === 'batch' && { ReschedulePolicy: { Attempts: 0, Unlimited: false } }),
    ...group,
  }
  await agent.put('/v1/jobs', {
    Job: { ID: id, Name: id, Namespace: namespace, Type: type, Datacenters: ['dc1'], TaskGroups: [whole] },
  })
  await until(`${id} has an allocation`, async () => (await allocations(agent, id, namespace)).length > 0)
  const [allocation] = await allocations(agent, id, namespace)
  if (allocation === undefined) throw new Error(`${id} has no allocation`)
  return allocation
}

/** The same with one task, `t`. */
export async function runJob(
  agent: RealAgent,
  id: string,
  type: 'batch' | 'service',
  script: string,
  more: { readonly memory?: number; readonly config?: object } = {},
): Promise<Allocation> {
  const task = shellTask('t', script, {
    Resources: { CPU: 100, MemoryMB: more.memory ?? 64 },
    Config: more.config ?? {},
  })
  return runGroup(agent, id, type, { Tasks: [task] })
}

export async function allocations(
  agent: RealAgent,
  job: string,
  namespace = 'default',
): Promise<readonly Allocation[]> {
  const path = `/v1/job/${job}/allocations?namespace=${namespace}`
  return (await agent.get(path)) as readonly Allocation[]
}

export async function allocation(agent: RealAgent, id: string): Promise<Allocation> {
  return (await agent.get(`/v1/allocation/${id}`)) as Allocation
}

/** Resolves when its task is in that state. */
export async function taskIs(
  agent: RealAgent,
  id: string,
  state: 'running' | 'dead',
  name = 't',
): Promise<TaskState> {
  let task: TaskState | undefined
  const isThere = async () => {
    task = (await allocation(agent, id)).TaskStates?.[name]
    return task?.State === state
  }
  await until(`${name} of ${id} is ${state}`, isThere, 60_000).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${told(task)}`, { cause: error })
  })
  if (task === undefined) throw new Error(`${id} has no task ${name}`)
  return task
}

/** What an operator sees of its events. */
export function told(task: TaskState | undefined): string {
  return (task?.Events ?? []).map(({ DisplayMessage }) => DisplayMessage).join('; ')
}

export function lastEnd(task: TaskState): Readonly<Record<string, string>> {
  return task.Events.findLast(({ Type }) => Type === 'Terminated')?.Details ?? {}
}

export async function logs(
  agent: RealAgent,
  id: string,
  type: 'stdout' | 'stderr' = 'stdout',
  task = 't',
): Promise<string> {
  return String(await agent.get(`/v1/client/fs/logs/${id}?task=${task}&type=${type}&origin=start&plain=true`))
}
