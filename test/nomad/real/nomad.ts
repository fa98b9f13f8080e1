import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { patience, until } from '../support/until.ts'
import type { RealAgent } from './agent.ts'
import { Agents, commandLine, pluginsOf } from './agents.ts'
import { cgroupsOf } from './left.ts'
import { Network } from './network.ts'
import { allocation, allocations, lastEnd, logs, runJob, taskIs } from './jobs.ts'
import { driverOf, isHealthy } from './node.ts'

/** `npm run test:nomad`: what the tests with a host of our own cannot know, namely whether Nomad agrees. */
describe('a real Nomad', function () {
  this.timeout(300_000 * patience)
  let agents: Agents

  before(function () {
    agents = new Agents(this)
  })
  after(() => agents?.close())

  describe('on one node', () => {
    let agent: RealAgent
    before(async () => {
      agent = await agents.make('one', { server: true, client: true })
      await agent.start()
      await isHealthy(agent)
    })

    it('finds the driver detected and healthy, with its attributes', async () => {
      const driver = await driverOf(agent)
      assert.deepEqual([driver?.Detected, driver?.HealthDescription], [true, 'Healthy'])
      assert.equal(driver?.Attributes['driver.holdfast.isolation'], 'full')
      assert.ok(driver?.Attributes['driver.holdfast.version'])
    })

    it('runs a batch job to its exit code, with its logs', async () => {
      const { ID } = await runJob(agent, 'batch', 'batch', 'echo out; echo err >&2; exit 7')
      const task = await taskIs(agent, ID, 'dead')
      assert.equal(lastEnd(task).exit_code, '7')
      assert.equal(task.Failed, true)
      for (const [stream, text] of [
        ['stdout', 'out\n'],
        ['stderr', 'err\n'],
      ] as const)
        await until(`its ${stream} is there`, async () => (await logs(agent, ID, stream)) === text)
    })

    it('tells of a start that fails, and of a configuration that is none', async () => {
      const missing = await runJob(agent, 'missing', 'batch', '', { config: { command: '/no/such' } })
      const task = await taskIs(agent, missing.ID, 'dead')
      assert.ok(task.Events.some(({ DisplayMessage }) => DisplayMessage.includes('/no/such')))
      const wrong = await runJob(agent, 'wrong', 'batch', '', { config: { limits: [{ pids: -1 }] } })
      const refused = await taskIs(agent, wrong.ID, 'dead')
      assert.ok(
        refused.Events.some(({ DisplayMessage }) => DisplayMessage.includes('config.limits.pids: got -1')),
      )
    })

    it('sees that a task was killed for its memory', async () => {
      const { ID } = await runJob(agent, 'oom', 'batch', 'tail /dev/zero', { memory: 20 })
      const task = await taskIs(agent, ID, 'dead')
      assert.equal(lastEnd(task).oom_killed, 'true')
    })

    describe('with a service', () => {
      let id: string
      const script =
        'trap "echo bye; exit 0" TERM; trap "echo usr1" USR1; echo $$ >> /alloc/data/starts; while :; do date; sleep 0.2; done'
      const starts = () =>
        readFileSync(join(agent.directory, 'data/alloc', id, 'alloc/data/starts'), 'utf8')
          .trim()
          .split('\n').length

      before(async () => {
        id = (await runJob(agent, 'service', 'service', script)).ID
        await taskIs(agent, id, 'running')
        await until('it is up', async () => (await logs(agent, id).catch(() => '')) !== '', 60_000)
      })

      it('has it in the cgroups that Nomad has made for it, with its limit', () => {
        const cgroups = cgroupsOf(id)
        assert.ok(cgroups.length > 0)
        for (const cgroup of cgroups) {
          const members = readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').trim().split('\n').map(Number)
          assert.ok(
            members.some(pid => commandLine(pid).includes(script)),
            cgroup,
          )
        }
        const limits = cgroups
          .flatMap(cgroup => ['memory.max', 'memory.limit_in_bytes'].map(file => join(cgroup, file)))
          .filter(existsSync)
        assert.deepEqual(
          limits.map(file => readFileSync(file, 'utf8')),
          [`${64 * 1024 * 1024}\n`],
        )
      })

      it('signals it, and shows its use', async () => {
        await agent.put(`/v1/client/allocation/${id}/signal`, { Signal: 'SIGUSR1', Task: 't' })
        await until('the signal has come', async () => (await logs(agent, id)).includes('usr1'))
        await until('there is a sample', async () => {
          const stats = (await agent.get(`/v1/client/allocation/${id}/stats`)) as {
            Tasks: Record<string, { ResourceUsage: { MemoryStats: { Usage: number } } } | undefined>
          }
          return (stats.Tasks.t?.ResourceUsage.MemoryStats.Usage ?? 0) > 0
        })
      })

      it('execs in it, without and with a terminal', async () => {
        const plain = await agent.cli(
          'alloc',
          'exec',
          '-i=false',
          '-t=false',
          '-task',
          't',
          id,
          'sh',
          '-c',
          'echo $NOMAD_TASK_NAME; echo e >&2; exit 3',
        )
        assert.deepEqual(plain, { code: 3, stdout: 't\n', stderr: 'e\n' })
        const { code, shown } = await agent.cliOnTerminal(
          `alloc exec -i -t -task t ${id} sh -c 'test -t 0 && echo ready; read x; echo got $x; exit 4'`,
          'typed\r',
        )
        assert.match(shown, /got typed/)
        assert.equal(code, 4)
      })

      it('keeps it running when the plugin is killed, and goes on as before', async () => {
        const [plugin] = pluginsOf(agent)
        assert.ok(plugin)
        process.kill(plugin, 'SIGKILL')
        await until('there is another plugin', () => pluginsOf(agent).some(pid => pid !== plugin), 60_000)
        await until('the task was recovered', () => agent.log.includes('recovered a running task'), 60_000)
        // The agent goes on with what the plugin has told it a moment later than that wrote its log.
        await until('it can be entered again', async () => {
          const { code } = await agent.cli('alloc', 'exec', '-i=false', '-t=false', '-task', 't', id, 'true')
          return code === 0
        })
        assert.equal((await allocation(agent, id)).ClientStatus, 'running')
        assert.equal(starts(), 1)
      })

      it('keeps it running when the agent is killed, and when it is restarted in order', async () => {
        for (const signal of ['SIGKILL', 'SIGINT'] as const) {
          await agent.end(signal)
          await agent.start()
          await until(
            'it is the same task',
            async () => (await allocation(agent, id).catch(() => null))?.ClientStatus === 'running',
            60_000,
          )
          const before = (await logs(agent, id).catch(() => '')).length
          await until(
            'its logs go on',
            async () => (await logs(agent, id).catch(() => '')).length > before,
            60_000,
          )
          assert.equal(starts(), 1)
        }
      })

      it('stops it by its signal, and nothing is left', async () => {
        await agent.cli('job', 'stop', '-detach', 'service')
        const task = await taskIs(agent, id, 'dead')
        assert.equal(lastEnd(task).exit_code, '0')
        await until('it has said good-bye', async () => (await logs(agent, id)).includes('bye'))
        await agent.put('/v1/system/gc')
        await until('its records are gone', () => tasksOf(agent) === 0, 60_000)
        await until('its cgroups are gone', () => cgroupsOf(id).length === 0)
      })
    })

    it('kills a task that heeds no signal when its timeout is over', async () => {
      const { ID } = await runJob(
        agent,
        'deaf',
        'service',
        'trap "" TERM; echo deaf; while :; do sleep 0.2; done',
      )
      await taskIs(agent, ID, 'running')
      await until('it is deaf', async () => (await logs(agent, ID).catch(() => '')).includes('deaf'))
      await agent.cli('job', 'stop', '-detach', 'deaf')
      const task = await taskIs(agent, ID, 'dead')
      assert.equal(lastEnd(task).signal, '9')
    })

    it('drains the node: the task ends, and is placed again once it may', async () => {
      const { ID } = await runJob(
        agent,
        'drained',
        'service',
        'trap "exit 0" TERM; while :; do sleep 0.2; done',
      )
      await taskIs(agent, ID, 'running')
      const drain = await agent.cli(
        'node',
        'drain',
        '-self',
        '-enable',
        '-yes',
        '-detach',
        '-deadline',
        '10s',
      )
      assert.equal(drain.code, 0, drain.stderr)
      await taskIs(agent, ID, 'dead')
      await agent.cli('node', 'drain', '-self', '-disable', '-yes')
      await until(
        'it runs again',
        async () =>
          (await allocations(agent, 'drained')).some(one => one.ID !== ID && one.ClientStatus === 'running'),
        60_000,
      )
      await agent.cli('job', 'stop', '-detach', '-purge', 'drained')
    })
  })

  describe('of a server and two clients, each a host of its own', () => {
    let network: Network

    before(() => {
      network = new Network()
    })
    after(() => network.close())

    it('moves the job of a client that dies, and cleans up there when it returns', async () => {
      const server = await agents.make('server', { server: true, client: false, host: network.add() })
      await server.start()
      const joined = { server: false, client: true, join: server.rpc }
      const clients = [
        await agents.make('client-1', { ...joined, host: network.add() }),
        await agents.make('client-2', { ...joined, host: network.add() }),
      ]
      // One after another: each gives its plugin a minute to start, however slow the machine is.
      for (const client of clients) await client.start()
      await until(
        'both are ready',
        async () => {
          const nodes = (await server.get('/v1/nodes')) as {
            Status: string
            Drivers: Record<string, { Healthy: boolean }>
          }[]
          return (
            nodes.filter(({ Status, Drivers }) => Status === 'ready' && Drivers.holdfast?.Healthy).length ===
            2
          )
        },
        60_000,
      )
      const first = await runJob(server, 'moving', 'service', 'while :; do sleep 0.2; done')
      await taskIs(server, first.ID, 'running')
      const dead = clients.find(client => tasksOf(client) > 0)
      assert.ok(dead)
      await dead.end('SIGKILL')
      assert.equal(tasksOf(dead), 1)
      await until(
        'it runs on the other',
        async () =>
          (await allocations(server, 'moving')).some(
            one => one.NodeID !== first.NodeID && one.ClientStatus === 'running',
          ),
        120_000,
      )
      await dead.start()
      await until('what it ran is gone', () => tasksOf(dead) === 0 || livingTasks(dead) === 0, 120_000)
      await server.cli('job', 'stop', '-detach', '-purge', 'moving')
    })
  })
})

function tasksOf(agent: RealAgent): number {
  const records = join(agent.directory, 'state/nomad')
  return existsSync(records) ? readdirSync(records).length : 0
}

function livingTasks(agent: RealAgent): number {
  const tasks = join(agent.directory, 'state/tasks')
  return readdirSync(tasks).filter(key => !existsSync(join(tasks, key, 'exit.json'))).length
}
