import assert from 'node:assert/strict'
import type { Usage, UsageDetail } from '../../src/index.ts'
import { megahertzOf } from '../../src/nomad/base/topology.ts'
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

  it("have ticks by what the client says of the node: its cores' speeds, or cpu_total_compute", () => {
    const cores = [
      { base_speed: 2000, max_speed: 3000, guess_speed: 0 },
      { base_speed: 0, max_speed: 1000, guess_speed: 9000 },
    ]
    assert.equal(megahertzOf({ cores }), 1500)
    assert.equal(megahertzOf({ cores, override_total_compute: 0 }), 1500)
    assert.equal(megahertzOf({ cores, override_total_compute: 5000 }), 2500)
    for (const unknown of [null, { cores: [] }, { cores: [], override_total_compute: 5000 }])
      assert.equal(megahertzOf(unknown), null)
  })

  it('leave out what one sample cannot say, and what is of a cgroup that is not there', () => {
    const first = statsOf('a/t/1', { usage, detail: detail(1000, 400), before: null }, null) as Shown
    assert.deepEqual(first.agg_resource_usage.cpu.measured_fields, [5, 3, 4])
    const without = statsOf('a/t/1', { usage, detail: null, before: null }, null) as Shown
    assert.deepEqual(without.agg_resource_usage.memory.measured_fields, [5, 2])
  })
})
