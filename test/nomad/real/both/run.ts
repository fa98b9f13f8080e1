import { checkJob } from '../../../../src/nomad/check/index.ts'
import { jobFile } from '../../support/job-files.ts'
import { until } from '../../support/until.ts'
import type { RealAgent } from '../agent.ts'
import { type Allocation, allocation, allocations, logs } from '../jobs.ts'
import { adapted, type Fixture } from './adapted.ts'
import type { Artifacts } from './artifacts.ts'
import { type ApiJob, tasksOf } from './job.ts'
import { type Figures, figuresOf, sampleOf } from './metrics.ts'
import { filesOf, isOver, observe, type Observed } from './observed.ts'

/** The job as this machine can run it, with the drivers that it names. */
export async function jobOf(agent: RealAgent, fixture: Fixture, artifacts: Artifacts): Promise<ApiJob> {
  const { file, text: change, variables } = fixture
  const { text } = jobFile(file)
  if (file.endsWith('.json')) return adapted((JSON.parse(text) as { Job: ApiJob }).Job, fixture, artifacts)
  const JobHCL = change?.(text) ?? text
  const request = { JobHCL, Canonicalize: true, ...(variables !== undefined && { Variables: variables }) }
  return adapted((await agent.put('/v1/jobs/parse', request)) as ApiJob, fixture, artifacts)
}

/** The one word that changes; of `java`, what nomad-check says to write instead of its options. */
export function withHoldfast(job: ApiJob): ApiJob {
  const changed = structuredClone(job)
  const { tasks } = checkJob({ name: 'job.json', text: JSON.stringify({ Job: job }) })
  for (const task of tasksOf(changed)) {
    const report = tasks.find(({ task: name }) => name === task.Name)
    if (task.Driver === 'java') {
      const { change = null } = report?.options.find(({ option }) => /class|jar/.test(option)) ?? {}
      const [, command, args] = /^command = "(.*?)" and args = (\[.*\])$/s.exec(change ?? '') ?? []
      if (command === undefined || args === undefined) throw new Error(`nomad-check says: ${change}`)
      task.Config = { command, args: JSON.parse(args) as unknown }
    }
    if (task.Driver === 'raw_exec')
      for (const { option, verdict } of report?.options ?? [])
        if (verdict === 'refused') delete task.Config[option.replace('config.', '')]
    task.Driver = 'holdfast'
  }
  return changed
}

export type Ran = {
  /** Of each of its allocations. */
  readonly seen: readonly Observed[]
  /** Of each task that runs until it is stopped; what ends before has no sample. */
  readonly figures: ReadonlyMap<string, Figures>
}

/** Runs it to its end, and resolves to what is to be seen of it. */
export async function runToItsEnd(agent: RealAgent, job: ApiJob, fixture: Fixture): Promise<Ran> {
  const before = new Set((await allocations(agent, job.ID).catch(() => [])).map(({ ID }) => ID))
  await agent.put('/v1/jobs', { Job: job })
  const id = await started(agent, job, fixture)
  const now = async () => (await allocations(agent, id)).filter(({ ID }) => !before.has(ID))
  const count = job.TaskGroups.reduce((sum, { Count }) => sum + Count, 0)
  const figures = new Map<string, Figures>()
  await until(`${job.ID} has allocations`, async () => (await now()).length >= count).catch(async error => {
    throw new Error(`${String(error)}: ${JSON.stringify(await agent.get(`/v1/job/${id}/evaluations`))}`)
  })
  if (fixture.untilStopped !== undefined) {
    for (const one of await now()) {
      await isUp(agent, one.ID, fixture.untilStopped)
      for (const task of await livingIn(agent, one.ID)) figures.set(task, await settled(agent, one.ID, task))
    }
    await agent.cli('job', 'stop', '-detach', id)
  }
  await until(`${job.ID} is over`, async () => (await now()).every(isOver), 120_000)
  const seen: Observed[] = []
  for (const { ID } of await now())
    seen.push(
      await observe(
        agent,
        ID,
        filesOf(
          agent,
          ID,
          tasksOf(job).map(({ Name }) => Name),
        ),
      ),
    )
  await agent.cli('job', 'stop', '-detach', '-purge', id)
  return { seen, figures }
}

/** It has said that it is up, which the server may not know yet. */
async function livingIn(agent: RealAgent, id: string): Promise<string[]> {
  const { TaskStates } = await allocation(agent, id)
  return Object.entries(TaskStates ?? {})
    .filter(([, { State }]) => State !== 'dead')
    .map(([task]) => task)
}

/** Two samples that come after each other: the first may be of when it started. */
async function settled(agent: RealAgent, id: string, task: string): Promise<Figures> {
  const first = await sampleOf(agent, id, () => true, task)
  const next = await sampleOf(agent, id, ({ at }) => at > first.at, task)
  return figuresOf([await sampleOf(agent, id, ({ at }) => at > next.at, task)])
}

/** The id of what runs. */
async function started(agent: RealAgent, job: ApiJob, { started: how }: Fixture): Promise<string> {
  if (how === undefined) return job.ID
  if (how === 'dispatched') {
    const body = { Payload: Buffer.from('{"in": 1}\n').toString('base64'), Meta: { profile: 'fast' } }
    const { DispatchedJobID } = (await agent.put(`/v1/job/${job.ID}/dispatch`, body)) as Record<
      string,
      string
    >
    return DispatchedJobID ?? ''
  }
  await agent.put(`/v1/job/${job.ID}/periodic/force`)
  let child = ''
  await until('it was started', async () => {
    const jobs = (await agent.get(`/v1/jobs?prefix=${job.ID}/periodic-`)) as { ID: string }[]
    child = jobs.at(-1)?.ID ?? ''
    return child !== ''
  })
  return encodeURIComponent(child)
}

/** Whatever it has started has said so, or has failed to start. */
async function isUp(agent: RealAgent, id: string, says: RegExp): Promise<void> {
  const seen = async () => {
    const { TaskStates } = (await agent.get(`/v1/allocation/${id}`)) as Allocation
    const states = Object.entries(TaskStates ?? {})
    if (states.length === 0) return false
    for (const [task, { State }] of states)
      if (State !== 'dead' && !says.test(await logs(agent, id, 'stdout', task).catch(() => ''))) return false
    return true
  }
  await until(`${id} is up`, seen, 60_000)
}
