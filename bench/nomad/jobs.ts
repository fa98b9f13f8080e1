import type { RealAgent } from '../../test/nomad/real/agent.ts'
import { allocations, type Allocation, told } from '../../test/nomad/real/jobs.ts'
import { until } from '../../test/nomad/support/until.ts'
import type { Measured } from './agent.ts'

/** Submits a job of so many tasks that do the same, and resolves to their allocations once there are all. */
export async function submit(
  agent: RealAgent,
  id: string,
  driver: Measured,
  {
    command,
    args = [],
    count = 1,
    type = 'batch',
    logs = true,
  }: {
    command: string
    args?: readonly string[]
    count?: number
    type?: 'batch' | 'service'
    logs?: boolean
  },
): Promise<void> {
  const never = { Attempts: 0, Interval: 6e11, Delay: 1e9, Mode: 'fail' }
  const task = {
    Name: 't',
    Driver: driver,
    Config: { command, args },
    // The first process of exec in the cgroup needs 14 MiB.
    Resources: { CPU: 1, MemoryMB: 32 },
    LogConfig: { MaxFiles: 2, MaxFileSizeMB: 1, Disabled: !logs },
  }
  const group = {
    Name: 'g',
    Count: count,
    Tasks: [task],
    EphemeralDisk: { SizeMB: 11 },
    RestartPolicy: never,
    ReschedulePolicy: { Attempts: 0, Unlimited: false },
  }
  await agent.put('/v1/jobs', {
    Job: { ID: id, Name: id, Type: type, Datacenters: ['dc1'], TaskGroups: [group] },
  })
}

/** All of a job's, when each is in that state. */
export async function inState(
  agent: RealAgent,
  job: string,
  count: number,
  states: readonly string[],
): Promise<readonly Allocation[]> {
  let seen: readonly Allocation[] = []
  const areSo = async () => {
    seen = await allocations(agent, job)
    const strayed = seen.find(({ ClientStatus }) => ['failed', 'lost'].includes(ClientStatus))
    if (strayed && !states.includes(strayed.ClientStatus)) throw new Error(told(strayed.TaskStates?.t))
    return seen.length >= count && seen.every(({ ClientStatus }) => states.includes(ClientStatus))
  }
  await until(`${job} is ${states.join(' or ')}`, areSo, 120_000).catch(async (error: unknown) => {
    const evaluations = JSON.stringify(await agent.get(`/v1/job/${job}/evaluations`))
    throw new Error(`${String(error)}: ${evaluations}`, { cause: error })
  })
  return seen
}

export async function stopped(agent: RealAgent, job: string): Promise<void> {
  await agent.cli('job', 'stop', '-detach', job)
  await inState(agent, job, 1, ['complete', 'failed', 'lost'])
  await agent.cli('job', 'stop', '-detach', '-purge', job)
}
