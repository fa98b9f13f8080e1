import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { detectCgroups } from '../../../src/platform/linux/cgroup-mode.ts'
import { requires } from '../../support/requires.ts'
import { withSwap } from '../../support/swap.ts'
import { patience, until } from '../support/until.ts'
import type { RealAgent } from './agent.ts'
import { Agents } from './agents.ts'
import { bothLoaded, sampleOf } from './both/metrics.ts'
import { chroot } from './both/observed.ts'
import { type Fields, lastEnd, logs, runGroup, shellTask, taskIs, type TaskState } from './jobs.ts'
import { cgroupsOf } from './left.ts'
import { driverOf, isHealthy } from './node.ts'

const mebibyte = 1024 * 1024
/** Of the node, in MHz: nothing that a processor would have. */
const compute = 7770

/** What an operator sees of limits, on a node that says by itself what its processors are worth. */
describe("what a real Nomad shows of its tasks' limits", function () {
  this.timeout(300_000 * patience)
  let agents: Agents
  let agent: RealAgent

  before(async function () {
    agents = new Agents(this)
    agent = await agents.make('limits', {
      server: true,
      client: true,
      drivers: ['exec'],
      more: {
        server: 'default_scheduler_config {\n memory_oversubscription_enabled = true\n}',
        // With its default, exec copies the better part of the system first.
        client: `
          cpu_total_compute = ${compute}
          chroot_env {
            ${chroot.map(path => `"${path}" = "${path}"`).join('\n')}
          }`,
      },
    })
    await agent.start()
    await isHealthy(agent)
    await until('exec is healthy', async () => (await driverOf(agent, 'exec'))?.Healthy === true, 60_000)
  })
  after(() => agents?.close())

  /** To its end. */
  async function ended(id: string, script: string, more: Fields): Promise<TaskState> {
    const { ID } = await runGroup(agent, id, 'batch', { Tasks: [shellTask('t', script, more)] })
    return taskIs(agent, ID, 'dead')
  }

  /** Of the event of its end that the driver has sent. */
  function news({ Events }: TaskState): { text: string; facts: Readonly<Record<string, string>> } {
    const event = Events.find(({ Details }) => Details.cause !== undefined)
    assert.ok(event, JSON.stringify(Events))
    return { text: event.DisplayMessage, facts: event.Details }
  }

  it('names memory_max as the limit of a task that was killed for memory, and the limits that it came up against', async () => {
    const state = await ended('too-much', 'tail /dev/zero', {
      Resources: { CPU: 100, MemoryMB: 20, MemoryMaxMB: 60 },
    })
    assert.equal(lastEnd(state).oom_killed, 'true')
    const { text, facts } = news(state)
    assert.match(text, /used more memory than it may: (59|60) MiB at most, of 60 MiB$/)
    assert.ok(Number(facts.oomKills) >= 1, JSON.stringify(facts))
    // Kernels of late count nothing there on cgroup v1.
    if (detectCgroups().mode === 'v2') assert.ok(Number(facts.memoryHigh) >= 1, JSON.stringify(facts))
  })

  it('names the forks that limits.pids refused, and the time for which the processor was withheld', async () => {
    const busy = 'i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done'
    const state = await ended(
      'forks',
      `${busy}; for i in 1 2 3 4 5 6 7 8; do sleep 2 & done 2>/dev/null; true`,
      {
        Resources: { CPU: Math.round(compute / availableParallelism() / 10), MemoryMB: 64 },
        Config: { limits: [{ pids: 5 }], cpu_hard_limit: true },
      },
    )
    const { text, facts } = news(state)
    assert.match(text, /^Forks of the task were refused \(\d+\)/)
    assert.ok(Number(facts.pidsRefused) >= 1 && Number(facts.throttledMs) > 0, JSON.stringify(facts))
  })

  it('shows ticks by cpu_total_compute, as it does of exec', async () => {
    const { theirs, ours } = await bothLoaded(agent, 'ticks', 3)
    const ofOneCore = compute / availableParallelism()
    for (const { ticks, percent } of [theirs, ours])
      assert.ok(Math.abs(ticks / ((percent / 100) * ofOneCore) - 1) < 0.01, `${ticks}, ${percent} %`)
  })

  it('shows what of a task is swapped out, on a host that has swap', async function () {
    requires(this, 'throwaway')
    const script = `exec perl -e '$| = 1; $n = 40 << 20; $x = "x" x $n; print "held\\n"; sleep 1000'`
    await withSwap(async () => {
      const { ID } = await runGroup(agent, 'swaps', 'service', {
        Tasks: [
          shellTask('t', script, {
            Resources: { CPU: 100, MemoryMB: 24 },
            Config: { limits: [{ swap_mb: 96 }] },
          }),
        ],
      })
      await until('it is held', async () => (await logs(agent, ID).catch(() => '')) === 'held\n', 60_000)
      const { MemoryStats } = await sampleOf(agent, ID, ({ MemoryStats: { Swap } }) => Swap > 12 * mebibyte)
      assert.ok(MemoryStats.Measured.includes('Swap'))
      const found = cgroupsOf(ID)
        .map(swapIn)
        .find(value => value !== null)
      assert.ok(Math.abs(MemoryStats.Swap - (found ?? 0)) < 2 * mebibyte, `${MemoryStats.Swap}, ${found}`)
      assert.ok(MemoryStats.Usage <= 24 * mebibyte, String(MemoryStats.Usage))
      await agent.cli('job', 'stop', '-detach', 'swaps')
      await taskIs(agent, ID, 'dead')
    })
  })
})

/** What the kernel says of a cgroup, of v2 or v1. */
function swapIn(directory: string): number | null {
  const read = (file: string) => {
    try {
      return readFileSync(join(directory, file), 'utf8')
    } catch {
      return ''
    }
  }
  const found =
    /^(\d+)\n$/.exec(read('memory.swap.current')) ?? /^total_swap (\d+)$/m.exec(read('memory.stat'))
  return found === null ? null : Number(found[1])
}
