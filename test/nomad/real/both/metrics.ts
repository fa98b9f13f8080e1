import assert from 'node:assert/strict'
import { until } from '../../support/until.ts'
import type { RealAgent } from '../agent.ts'
import { logs, runGroup, shellTask, taskIs } from '../jobs.ts'
import type { Differing } from './difference.ts'

/** What `nomad alloc status -stats` shows of a task. Bytes; per cent of one processor; MHz. */
export type Shown = {
  readonly MemoryStats: Readonly<Record<'RSS' | 'Cache' | 'Swap' | 'Usage', number>> & {
    readonly Measured: readonly string[]
  }
  readonly CpuStats: Readonly<Record<'Percent' | 'UserMode' | 'SystemMode' | 'TotalTicks', number>> & {
    readonly Measured: readonly string[]
  }
}

type Sample = Shown & { readonly at: number }

const mebibyte = 1024 * 1024

/** Holds memory and files, and then reads for as long as it lives. */
const load = `head -c 6291456 /dev/zero > /local/file; x=$(head -c 12582912 /dev/zero | tr '\\0' x)
  echo ready; while :; do read line < /etc/passwd; done`

/** The next that passes, of task `t` unless told otherwise. */
export async function sampleOf(
  agent: RealAgent,
  id: string,
  isWanted: (sample: Sample) => boolean,
  task = 't',
): Promise<Sample> {
  let found: Sample | undefined
  await until(`there is a sample of ${task} of ${id}`, async () => {
    const { Tasks } = (await agent.get(`/v1/client/allocation/${id}/stats`)) as {
      Tasks: Record<string, { ResourceUsage: Shown; Timestamp: number } | undefined>
    }
    const shown = Tasks[task]
    if (shown) found = { ...shown.ResourceUsage, at: shown.Timestamp }
    return found !== undefined && isWanted(found)
  })
  assert.ok(found)
  return found
}

/** The same load under exec and under this driver at the same time: the mean of so many samples of each. */
export async function bothLoaded(agent: RealAgent, name: string, count: number) {
  const running: string[] = []
  for (const driver of ['exec', 'holdfast']) {
    const task = shellTask('t', load, { Driver: driver, Resources: { CPU: 100, MemoryMB: 128 } })
    running.push((await runGroup(agent, `${name}-${driver}`, 'service', { Tasks: [task] })).ID)
  }
  for (const id of running)
    await until('the load is there', async () => (await logs(agent, id).catch(() => '')) === 'ready\n')
  const [theirs, ours] = await meansOf(agent, running, count)
  for (const driver of ['exec', 'holdfast']) await agent.cli('job', 'stop', '-detach', `${name}-${driver}`)
  for (const id of running) await taskIs(agent, id, 'dead')
  assert.ok(theirs && ours)
  return { theirs, ours }
}

async function meansOf(agent: RealAgent, ids: readonly string[], count: number) {
  const samples: Sample[][] = ids.map(() => [])
  for (let round = 0; round < count; round++)
    for (const [index, id] of ids.entries()) {
      const after = samples[index]?.at(-1)?.at ?? 0
      // Not the first, which has nothing before it to be compared with.
      const isNext = ({ at, CpuStats }: Sample) => at > after && CpuStats.Percent > 0
      samples[index]?.push(await sampleOf(agent, id, isNext))
    }
  return samples.map(figuresOf)
}

export type Figures = ReturnType<typeof figuresOf>

export function figuresOf(samples: readonly Shown[]) {
  const mean = (value: (shown: Shown) => number) =>
    samples.reduce((sum, shown) => sum + value(shown), 0) / samples.length
  const last = samples.at(-1)
  return {
    rss: mean(({ MemoryStats }) => MemoryStats.RSS),
    cache: mean(({ MemoryStats }) => MemoryStats.Cache),
    usage: mean(({ MemoryStats }) => MemoryStats.Usage),
    swap: mean(({ MemoryStats }) => MemoryStats.Swap),
    percent: mean(({ CpuStats }) => CpuStats.Percent),
    user: mean(({ CpuStats }) => CpuStats.UserMode),
    system: mean(({ CpuStats }) => CpuStats.SystemMode),
    ticks: mean(({ CpuStats }) => CpuStats.TotalTicks),
    measured: [...(last?.MemoryStats.Measured ?? []), ...(last?.CpuStats.Measured ?? [])],
  }
}

/** Of each task, what is not the same, and what `exec` alone says is measured. */
export function differingFigures(
  file: string,
  theirs: ReadonlyMap<string, Figures>,
  ours: ReadonlyMap<string, Figures>,
): Differing[] {
  return [...new Set([...theirs.keys(), ...ours.keys()])].flatMap(task => {
    const [one, other] = [theirs.get(task), ours.get(task)]
    if (one === undefined || other === undefined)
      return [{ file, what: `${task}: metrics`, theirs: shown(one), ours: shown(other) }]
    return strayed(one, other).map(name => ({
      file,
      what: `${task}: ${name}`,
      theirs: String(one[name]),
      ours: String(other[name]),
    }))
  })
}

const shown = (figures: Figures | undefined) => (figures === undefined ? null : JSON.stringify(figures))

function strayed(theirs: Figures, ours: Figures): (keyof Figures)[] {
  // Each process has a page or two more or less; the processors are shared with whatever else runs.
  // An emulated one has none to itself.
  const ofProcessors = (theirs: number) =>
    process.env.HOLDFAST_SMALL === '1' ? Number.POSITIVE_INFINITY : 10 + theirs / 3
  const tolerances = [
    ['rss', 2 * mebibyte],
    ['cache', 2 * mebibyte],
    ['usage', 3 * mebibyte],
    ['percent', ofProcessors(theirs.percent)],
    ['user', ofProcessors(theirs.user)],
    ['system', ofProcessors(theirs.system)],
  ] as const
  const numbers = tolerances
    .filter(([name, tolerance]) => Math.abs(ours[name] - theirs[name]) > tolerance)
    .map(([name]) => name)
  // exec shows memory and swap together as swap; nothing is swapped out here.
  const isTogether = theirs.swap < mebibyte || Math.abs(theirs.swap - theirs.usage) < mebibyte
  const isMeasured = theirs.measured.every(
    name => ours.measured.includes(name) || name === 'Kernel Max Usage',
  )
  return [
    ...numbers,
    ...(isTogether && ours.swap < mebibyte ? [] : (['swap'] as const)),
    ...(isMeasured ? [] : (['measured'] as const)),
  ]
}
