import type { RealAgent } from './agent.ts'
import { until } from '../support/until.ts'

export type Allocation = {
  readonly ID: string
  readonly NodeID: string
  readonly ClientStatus: string
  readonly DesiredStatus: string
  readonly TaskStates: Readonly<Record<string, TaskState>> | null
}
type TaskState = {
  readonly State: string
  readonly Failed: boolean
  readonly Restarts: number
  readonly Events: readonly {
    readonly Type: string
    readonly DisplayMessage: string
    readonly Details: Readonly<Record<string, string>>
  }[]
}

/** Submits a job of one task `t` and resolves to its allocation, once there is one. */
export async function runJob(
  agent: RealAgent,
  id: string,
  type: 'batch' | 'service',
  script: string,
  more: { readonly memory?: number; readonly killSignal?: string; readonly config?: object } = {},
): Promise<Allocation> {
  const task = {
    Name: 't',
    Driver: 'holdfast',
    Config: { command: '/bin/sh', args: ['-c', script], ...more.config },
    Resources: { CPU: 100, MemoryMB: more.memory ?? 64 },
    KillSignal: more.killSignal ?? 'SIGTERM',
    KillTimeout: 5e9,
  }
  const never = { Attempts: 0, Interval: 6e11, Delay: 1e9, Mode: 'fail' }
  const group = {
    Name: 'g',
    Count: 1,
    Tasks: [task],
    RestartPolicy: never,
    ...(type === 'batch' && { ReschedulePolicy: { Attempts: 0, Unlimited: false } }),
  }
  await agent.put('/v1/jobs', {
    Job: { ID: id, Name: id, Type: type, Datacenters: ['dc1'], TaskGroups: [group] },
  })
  await until(`${id} has an allocation`, async () => (await allocations(agent, id)).length > 0)
  const [allocation] = await allocations(agent, id)
  if (allocation === undefined) throw new Error(`${id} has no allocation`)
  return allocation
}

export async function allocations(agent: RealAgent, job: string): Promise<readonly Allocation[]> {
  return (await agent.get(`/v1/job/${job}/allocations`)) as readonly Allocation[]
}

export async function allocation(agent: RealAgent, id: string): Promise<Allocation> {
  return (await agent.get(`/v1/allocation/${id}`)) as Allocation
}

/** Resolves when its task is in that state. */
export async function taskIs(agent: RealAgent, id: string, state: 'running' | 'dead'): Promise<TaskState> {
  await until(
    `the task of ${id} is ${state}`,
    async () => (await allocation(agent, id)).TaskStates?.t?.State === state,
    60_000,
  )
  const task = (await allocation(agent, id)).TaskStates?.t
  if (task === undefined) throw new Error(`${id} has no task`)
  return task
}

export function lastEnd(task: TaskState): Readonly<Record<string, string>> {
  return task.Events.findLast(({ Type }) => Type === 'Terminated')?.Details ?? {}
}

export async function logs(
  agent: RealAgent,
  id: string,
  type: 'stdout' | 'stderr' = 'stdout',
): Promise<string> {
  return String(await agent.get(`/v1/client/fs/logs/${id}?task=t&type=${type}&origin=start&plain=true`))
}
