import type { WaitResult } from '../../index.ts'

type End = Pick<WaitResult, 'cause' | 'oomKilled' | 'error' | 'limitsHit' | 'usage'>

const mebibyte = 1024 * 1024

/** What the exit code and the signal, which Nomad shows itself, do not say of an end. */
export function newsOfEnd({ cause, oomKilled, error, limitsHit, usage }: End): string[] {
  const news: string[] = []
  if (oomKilled)
    news.push(
      `A process of the task was killed because the task used more memory than it may${memoryOf(usage)}`,
    )
  else if (cause === 'lost') news.push(error?.message ?? 'The end of the task is not known')
  else if (cause === 'forced')
    news.push('The task was killed: it had not ended within its kill timeout, or was not asked to')
  const { pidsRefused } = limitsHit
  if (pidsRefused !== null && pidsRefused > 0)
    news.push(
      `Forks of the task were refused (${pidsRefused}): it had as many processes as limits.pids lets it`,
    )
  return news
}

/** Each limit that held the task up, with how often; the cause of the end. As annotations of its events. */
export function factsOfEnd({ cause, limitsHit }: End): Readonly<Record<string, string>> {
  const hit: readonly (readonly [string, number | null])[] = Object.entries(limitsHit)
  const counted = hit.filter(([, count]) => count !== null && count > 0)
  return { cause, ...Object.fromEntries(counted.map(([name, count]) => [name, String(count)])) }
}

/** `: 128 MiB at most, of 128 MiB`. Empty where nobody has counted. */
function memoryOf(usage: End['usage']): string {
  const mib = (bytes: number) => `${Math.round(bytes / mebibyte)} MiB`
  const { memoryPeakBytes: peak, memoryLimitBytes: limit } = usage ?? {}
  if (typeof limit !== 'number') return ''
  return typeof peak === 'number' ? `: ${mib(peak)} at most, of ${mib(limit)}` : `, ${mib(limit)}`
}
