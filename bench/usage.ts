import { mkdtempSync, readdirSync, readlinkSync, readSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor } from '../src/index.ts'
import { Supervisor, setCommand } from './library.ts'
import { median, ratios, type Summary, summary } from './statistics.ts'

export const sampledTasks = 100
/** Of one way in one round. */
const sweeps = 15
const restMs = 20

export type UsageRow = {
  readonly name: string
  readonly cpuMs: Summary
  /** To the first row, round by round. */
  readonly cpuRatio: Summary
  /** After a rest, when the processor's caches are others', as once a second. */
  readonly restedMs: Summary
  readonly restedRatio: Summary
}

/**
 * CPU time of this process for one look at the usage of many limited tasks: while they are watched (usage$),
 * and by usage() of tasks that nobody watches; and what of it is the kernel's and Node's, for reading the
 * same files. Root only: without cgroups it is another question.
 */
export async function measureUsage(
  stateRoot: string,
  rounds: number,
  progress: (text: string) => void,
): Promise<UsageRow[]> {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return []
  const stateDir = mkdtempSync(join(stateRoot, 'holdfast-bench-'))
  const supervisor = new Supervisor({ stateDir, durability: 'process' })
  try {
    const tasks = await startTasks(supervisor)
    const figures = ['the same files, no more', 'watched (usage$)', 'not watched (usage)'].map(name => ({
      ...{ name, cpuMs: [] as number[], restedMs: [] as number[] },
    }))
    const [bare, watched, unwatched] = figures
    // The first round compiles.
    for (let round = -1; round < rounds; round++) {
      progress(`usage: round ${Math.max(round, 0) + 1} of ${rounds}`)
      if (round === 0) for (const { cpuMs, restedMs } of figures) cpuMs.length = restedMs.length = 0
      await measure(unwatched, () => sampleAll(tasks))
      const end = await watch(tasks)
      const files = cgroupDescriptors()
      if (files.length < tasks.length) throw new Error(`${files.length} files are kept open`)
      await measure(watched, () => sampleAll(tasks))
      await measure(bare, () => readAll(files))
      end()
    }
    return figures.map(({ name, cpuMs, restedMs }) => ({
      name,
      cpuMs: summary(cpuMs),
      cpuRatio: summary(ratios(cpuMs, bare?.cpuMs ?? [])),
      restedMs: summary(restedMs),
      restedRatio: summary(ratios(restedMs, bare?.restedMs ?? [])),
    }))
  } finally {
    await Promise.all([...supervisor.tasks.values()].map(task => task.destroy()))
    await supervisor.close()
    rmSync(stateDir, { recursive: true, force: true })
  }
}

async function startTasks(supervisor: InstanceType<typeof Supervisor>): Promise<Executor[]> {
  return await Promise.all(
    Array.from({ length: sampledTasks }, async () => {
      const task = supervisor.executor('linux')
      setCommand(task, '/bin/sleep', ['600'])
      await task.limit({ memoryMB: 64, pids: 32, cpuLimit: 1 })
      await task.start()
      return task
    }),
  )
}

async function sampleAll(tasks: readonly Executor[]): Promise<void> {
  await Promise.all(tasks.map(task => task.usage()))
}

/** Resolves with the end of it, once each has been sampled. */
async function watch(tasks: readonly Executor[]): Promise<() => void> {
  const subscriptions: { unsubscribe(): void }[] = []
  await Promise.all(
    tasks.map(
      task =>
        new Promise<void>((resolve, reject) => {
          subscriptions.push(task.usage$(3_600_000).subscribe({ next: () => resolve(), error: reject }))
        }),
    ),
  )
  return () => subscriptions.forEach(subscription => subscription.unsubscribe())
}

/** Those that watching keeps open. */
function cgroupDescriptors(): number[] {
  const isOfCgroup = (fd: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('/sys/fs/cgroup/')
    } catch {
      return false
    }
  }
  return readdirSync('/proc/self/fd').filter(isOfCgroup).map(Number)
}

const buffer = Buffer.allocUnsafe(16 * 1024)

function readAll(files: readonly number[]): void {
  for (const fd of files) readSync(fd, buffer, 0, buffer.length, 0)
}

/** Medians of the round. */
async function measure(
  figures: { cpuMs: number[]; restedMs: number[] } | undefined,
  look: () => void | Promise<void>,
): Promise<void> {
  const [times, rested]: [number[], number[]] = [[], []]
  for (let sweep = 0; sweep < sweeps; sweep++) times.push(await cpuOf(look))
  for (let sweep = 0; sweep < sweeps; sweep++) {
    await sleep(restMs)
    rested.push(await cpuOf(look))
  }
  figures?.cpuMs.push(median(times))
  figures?.restedMs.push(median(rested))
}

/** Milliseconds, of all threads. */
async function cpuOf(look: () => void | Promise<void>): Promise<number> {
  const begin = process.cpuUsage()
  await look()
  const { user, system } = process.cpuUsage(begin)
  return (user + system) / 1000
}
