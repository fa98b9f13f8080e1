import type { Usage } from '../api.ts'

/** Per cent of one core between two samples; null for the first, and where CPU time is unknown. */
export function withCpuPercent(sample: Usage, previous: Usage | null): Usage {
  if (sample.cpuMs === null || previous === null || previous.cpuMs === null) return sample
  const elapsed = sample.at.getTime() - previous.at.getTime()
  if (elapsed <= 0) return { ...sample, cpuPercent: previous.cpuPercent }
  return { ...sample, cpuPercent: Math.max(0, (100 * (sample.cpuMs - previous.cpuMs)) / elapsed) }
}
