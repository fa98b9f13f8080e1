import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupsOf as ownCgroupsOf } from '../../../src/audit/cgroups.ts'
import { readLink } from '../../../src/if-there.ts'
import { patience, until } from '../support/until.ts'
import type { RealAgent } from './agent.ts'
import { Agents, pluginsOf, processes } from './agents.ts'
import { runJob, taskIs, told } from './jobs.ts'
import { isHealthy } from './node.ts'

/** A shim may be killed as any process: for want of memory, or by hand. */
describe('a real Nomad one of whose shims is killed', function () {
  this.timeout(300_000 * patience)
  let agents: Agents
  let agent: RealAgent

  before(async function () {
    agents = new Agents(this)
    agent = await agents.make('shims', { server: true, client: true })
    await agent.start()
    await isHealthy(agent)
  })
  after(() => agents?.close())

  function keys(): string[] {
    const tasks = join(agent.directory, 'state/tasks')
    return existsSync(tasks) ? readdirSync(tasks) : []
  }

  /** Who has the end of `alive` that says it. */
  function shimOf(key: string): number {
    const alive = join(agent.directory, 'state/tasks', key, 'alive')
    const plugins = pluginsOf(agent)
    const pids = processes().filter(pid => !plugins.includes(pid) && opened(pid).includes(alive))
    assert.equal(pids.length, 1)
    return pids[0] ?? -1
  }

  async function started(job: string): Promise<{ id: string; key: string }> {
    const before = keys()
    const { ID: id } = await runJob(agent, job, 'service', 'while :; do sleep 0.1; done')
    await taskIs(agent, id, 'running')
    const [key = ''] = keys().filter(name => !before.includes(name))
    return { id, key }
  }

  it('is told that its task is lost, and nothing of that is left', async () => {
    const { id, key } = await started('lost')
    process.kill(shimOf(key), 'SIGKILL')
    const task = await taskIs(agent, id, 'dead')
    assert.equal(task.Failed, true)
    assert.match(told(task), /The task's shim is gone and left no exit record/)
    await until('its cgroups are gone', () => ownCgroupsOf(key).length === 0)
    await agent.put('/v1/system/gc')
    await until('its record is gone', () => !keys().includes(key))
  })

  it('starts the task anew when plugin and agent were killed too, and nothing is left of the first', async () => {
    const { id, key } = await started('all')
    const shim = shimOf(key)
    const plugins = pluginsOf(agent)
    await agent.end('SIGKILL')
    for (const pid of [...plugins, shim]) process.kill(pid, 'SIGKILL')
    await agent.start()
    await until('its cgroups are gone', () => ownCgroupsOf(key).length === 0, 60_000)
    await until('its record is gone', () => !keys().includes(key))
    await until('it was started anew', () => keys().length === 1, 60_000)
    assert.equal((await taskIs(agent, id, 'running')).Failed, false)
  })
})

function opened(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map(fd => readLink(`/proc/${pid}/fd/${fd}`))
  } catch {
    return []
  }
}
