import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { RealAgent } from '../../test/nomad/real/agent.ts'
import { allocation, lastEnd } from '../../test/nomad/real/jobs.ts'
import { cgroupsOf } from '../../test/nomad/real/left.ts'
import { until } from '../../test/nomad/support/until.ts'
import { pssKib, readText, treeOf } from '../processes.ts'
import { median } from '../statistics.ts'
import type { Measured } from './agent.ts'
import { inState, stopped, submit } from './jobs.ts'

/** Of the driver's own for each running task, and once a node; the task itself is not counted. */
export type MemoryOfNode = {
  readonly kibPerTask: number
  readonly logmonKibPerTask: number
  readonly kibPerNode: number
}

/** Proportional set size, with so many tasks that sleep. */
export async function memoryOf(agent: RealAgent, driver: Measured, count: number): Promise<MemoryOfNode> {
  const job = `sleepers-${driver}`
  await submit(agent, job, driver, { command: '/bin/sleep', args: ['600'], count, type: 'service' })
  const allocs = await inState(agent, job, count, ['running'])
  const tasks = new Set(allocs.flatMap(({ ID }) => membersOf(ID)))
  const tree = treeOf(agent.pid)
  const said = (pid: number) => readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
  const sum = (pids: readonly number[]) => pids.reduce((total, pid) => total + pssKib(pid), 0)
  const executors = tree.filter(pid => / executor /.test(said(pid)) && !tasks.has(pid))
  const logmons = tree.filter(pid => / logmon( |$)/.test(said(pid)))
  const plugins = tree.filter(pid => said(pid).includes('nomad-driver'))
  const own = driver === 'exec' ? executors : keepersIn(agent)
  const result = {
    kibPerTask: sum(own) / count,
    logmonKibPerTask: sum(logmons) / count,
    kibPerNode: driver === 'exec' ? 0 : sum(plugins),
  }
  await stopped(agent, job)
  return result
}

/** Shims, and whatever there is between them and the tasks. */
function keepersIn(agent: RealAgent): number[] {
  const tasks = join(agent.directory, 'state/tasks')
  return readdirSync(tasks).flatMap(key => {
    const { shim, task } = JSON.parse(readText(join(tasks, key, 'start.json')) || '{}') as Partial<
      Record<'shim' | 'task', { pid: number }>
    >
    return shim === undefined ? [] : treeOf(shim.pid).filter(pid => pid !== task?.pid && !isSleep(pid))
  })
}

const isSleep = (pid: number) => readText(`/proc/${pid}/cmdline`).startsWith('/bin/sleep')

function membersOf(id: string): number[] {
  return cgroupsOf(id).flatMap(path =>
    readText(join(path, 'cgroup.procs')).split('\n').filter(Boolean).map(Number),
  )
}

/**
 * From when the client has received a task, and prepares it, until it is up: milliseconds between two of
 * Nomad's own events, the median of so many one after another.
 */
export async function untilUpMs(
  agent: RealAgent,
  driver: Measured,
  { rounds, logs }: { rounds: number; logs: boolean },
): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const job = `up-${driver}-${logs}-${round}`
    await submit(agent, job, driver, { command: '/bin/true', logs })
    const [alloc] = await inState(agent, job, 1, ['complete'])
    const { Events = [] } = Object.values(alloc?.TaskStates ?? {})[0] ?? {}
    const at = (type: string) =>
      (Events.find(({ Type }) => Type === type) as { Time?: number } | undefined)?.Time
    times.push(((at('Started') ?? Number.NaN) - (at('Task Setup') ?? Number.NaN)) / 1e6)
  }
  return median(times)
}

/** Seconds until so many times /bin/true, in one job, have ended and the server knows it. */
export async function manySeconds(agent: RealAgent, driver: Measured, count: number): Promise<number> {
  const job = `many-${driver}`
  const from = performance.now()
  await submit(agent, job, driver, { command: '/bin/true', count })
  await inState(agent, job, count, ['complete'])
  return (performance.now() - from) / 1000
}

/** A task's end, when agent, plugin and executor are killed and it ends with 7 before another agent comes. */
export async function afterKill(agent: RealAgent, driver: Measured): Promise<string> {
  const job = `killed-${driver}`
  await submit(agent, job, driver, {
    command: '/bin/sh',
    args: ['-c', 'echo started >> /alloc/data/starts; sleep 3; exit 7'],
  })
  const [alloc] = await inState(agent, job, 1, ['running'])
  if (alloc === undefined) throw new Error(`${job} has no allocation`)
  const tree = treeOf(agent.pid)
  const isNomads = (pid: number) =>
    / (executor|logmon|nomad-driver)( |$)/.test(readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))
  const doomed = tree.filter(pid => pid !== agent.pid && isNomads(pid))
  const members = membersOf(alloc.ID)
  await agent.end('SIGKILL')
  for (const pid of doomed) kill(pid)
  await until(
    'the task has ended',
    () => members.every(pid => readText(`/proc/${pid}/cmdline`) === ''),
    20_000,
  )
  await agent.start()
  await inState(agent, job, 1, ['complete', 'failed', 'lost'])
  const { ClientStatus, TaskStates } = await allocation(agent, alloc.ID)
  const end = TaskStates?.t === undefined ? {} : lastEnd(TaskStates.t)
  const starts = readText(join(agent.directory, 'data/alloc', alloc.ID, 'alloc/data/starts')).trimEnd()
  return `${ClientStatus}, exit code ${end.exit_code ?? 'unknown'}, started ${starts.split('\n').length} times`
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended with its agent.
  }
}
