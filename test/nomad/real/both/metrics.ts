import { until } from '../../support/until.ts'
import type { RealAgent } from '../agent.ts'

/** What `nomad alloc status -stats` shows of a task. Bytes; per cent of one processor; MHz. */
export type Shown = {
  readonly MemoryStats: Readonly<Record<'RSS' | 'Cache' | 'Swap' | 'Usage', number>> & {
    readonly Measured: readonly string[]
  }
  readonly CpuStats: Readonly<Record<'Percent' | 'UserMode' | 'SystemMode' | 'TotalTicks', number>> & {
    readonly Measured: readonly string[]
  }
}

/** Holds memory and files, and then reads for as long as it lives. */
export const load = `head -c 6291456 /dev/zero > /local/file; x=$(head -c 12582912 /dev/zero | tr '\\0' x)
  echo ready; while :; do read line < /etc/passwd; done`

/** A sample that is not the first, which has nothing before it to be compared with. */
async function sampleOf(
  agent: RealAgent,
  id: string,
  after: number,
): Promise<Shown & { readonly at: number }> {
  let found: (Shown & { readonly at: number }) | undefined
  await until(`there is a sample of ${id}`, async () => {
    const { Tasks } = (await agent.get(`/v1/client/allocation/${id}/stats`)) as {
      Tasks: Record<string, { ResourceUsage: Shown; Timestamp: number } | undefined>
    }
    if (Tasks.t) found = { ...Tasks.t.ResourceUsage, at: Tasks.t.Timestamp }
    return found !== undefined && found.at > after && found.CpuStats.Percent > 0
  })
  if (found === undefined) throw new Error(`${id} has no sample`)
  return found
}

/** Of tasks that run at the same time: the mean of so many samples of each. */
export async function meansOf(agent: RealAgent, ids: readonly string[], count: number) {
  const samples: (Shown & { readonly at: number })[][] = ids.map(() => [])
  for (let round = 0; round < count; round++)
    for (const [index, id] of ids.entries())
      samples[index]?.push(await sampleOf(agent, id, samples[index].at(-1)?.at ?? 0))
  return samples.map(ofOne => {
    const mean = (value: (shown: Shown) => number) =>
      ofOne.reduce((sum, shown) => sum + value(shown), 0) / ofOne.length
    const last = ofOne.at(-1)
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
  })
}
