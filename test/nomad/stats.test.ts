import assert from 'node:assert/strict'
import type { Usage, UsageDetail } from '../../src/index.ts'
import { statsOf } from '../../src/nomad/driver/task-stats.ts'

describe("a task's figures as Nomad shows them", () => {
  const usage = {
    at: new Date(1000),
    cpuPercent: 50,
    throttledMs: 2,
    memoryBytes: 900,
    memoryPeakBytes: 950,
  } as Usage
  const detail = (at: number, cpuUserMs: number): UsageDetail => ({
    at: new Date(at),
    cpuUserMs,
    cpuSystemMs: cpuUserMs / 4,
    throttledPeriods: 3,
    anonBytes: 600,
    fileBytes: 200,
    kernelBytes: 100,
    swapBytes: 40,
  })
  type Shown = { agg_resource_usage: { cpu: Record<string, unknown>; memory: Record<string, unknown> } }

  it('have resident and cached memory, swap, and the time of user and system between two samples', () => {
    const sample = { usage, detail: detail(1000, 400), before: detail(500, 200) }
    const { cpu, memory } = (statsOf('a/t/1', sample, 2000) as Shown).agg_resource_usage
    assert.deepEqual(cpu, {
      system_mode: 10,
      user_mode: 40,
      percent: 50,
      total_ticks: 1000,
      throttled_periods: 3,
      throttled_time: 2_000_000,
      measured_fields: [0, 1, 5, 2, 3, 4],
    })
    assert.deepEqual(memory, {
      rss: 600,
      cache: 200,
      swap: 40,
      kernel_usage: 100,
      usage: 900,
      max_usage: 950,
      measured_fields: [0, 1, 6, 3, 5, 2],
    })
  })

  it('leave out what one sample cannot say, and what is of a cgroup that is not there', () => {
    const first = statsOf('a/t/1', { usage, detail: detail(1000, 400), before: null }, null) as Shown
    assert.deepEqual(first.agg_resource_usage.cpu.measured_fields, [5, 3, 4])
    const without = statsOf('a/t/1', { usage, detail: null, before: null }, null) as Shown
    assert.deepEqual(without.agg_resource_usage.memory.measured_fields, [5, 2])
  })
})
