import assert from 'node:assert/strict'
import type { Executor, Supervisor, TaskHistoryEntry } from '../../src/index.ts'
import { attacker } from '../attacks/hostile.ts'
import { eventually } from '../support/eventually.ts'
import { runFixture } from '../support/fixture.ts'
import { requires } from '../support/requires.ts'
import { keyOf } from '../support/task-key.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

const door = ['127.0.0.1', '3128'] as const
const connect = (destination: string): string =>
  Buffer.from(`CONNECT ${destination} HTTP/1.1\r\n\r\n`).toString('hex')

type Heard = { readonly key: string; readonly said: string }

/** What the journal of a supervisor says of destinations from now on. */
function decisionsOf(supervisor: Supervisor): Heard[] {
  const heard: Heard[] = []
  supervisor.journal$.subscribe(
    ({ task: { key }, event, host, port, allowed, ...rest }: TaskHistoryEntry) => {
      if (event !== 'EGRESS') return
      assert.deepEqual([rest.sequence, rest.from, rest.to], [null, 'running', 'running'])
      heard.push({ key, said: `${host}:${port} ${allowed}` })
    },
  )
  return heard
}

function asking(bench: Workbench, supervisor: Supervisor, destination: string): Executor {
  const { mounts } = attacker(bench, 'dial').command
  const task = bench.commandOf(supervisor, '/tmp/hostile/dial', ...door, connect(destination))
  Object.assign(task.command, { mounts, network: { allow: [] } })
  return task
}

describe("what is decided about destinations in a supervisor's journal", () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  it('is heard of every task that is started, once by each who listens, and is in its history', () =>
    withWorkbench('linux', async bench => {
      const [first, second] = [decisionsOf(bench.supervisor), decisionsOf(bench.supervisor)]
      const tasks = ['a.test:443', 'b.test:22'].map(destination =>
        asking(bench, bench.supervisor, destination),
      )
      await Promise.all(tasks.map(task => task.start()))
      await Promise.all(tasks.map(task => task.wait()))
      const expected = [
        { key: keyOf(tasks[0] as Executor), said: 'a.test:443 false' },
        { key: keyOf(tasks[1] as Executor), said: 'b.test:22 false' },
      ]
      const inOrder = (heard: Heard[]): Heard[] => heard.toSorted((a, b) => a.said.localeCompare(b.said))
      await eventually(() => assert.deepEqual(inOrder(first), expected))
      await eventually(() => assert.deepEqual(inOrder(second), expected))
      for (const { key, said } of expected) {
        const history = (await bench.supervisor.history(key)).filter(({ event }) => event === 'EGRESS')
        assert.deepEqual(
          history.map(({ host, port, allowed }) => `${host}:${port} ${allowed}`),
          [said],
        )
      }
    }))

  it('is heard from now on of one that runs, by its supervisor and by the next', () =>
    withWorkbench('linux', async bench => {
      const holder = asking(bench, bench.supervisor, 'before.test:443')
      const program = [holder.command.path, ...holder.command.args]
      Object.assign(holder.command, {
        path: '/bin/sh',
        args: ['-c', '"$@"; echo ready; exec sleep 60', 'sh', ...program],
      })
      await holder.start()
      await eventually(async () =>
        assert.equal(
          (await bench.supervisor.history(keyOf(holder))).filter(({ event }) => event === 'EGRESS').length,
          1,
        ),
      )
      const next = bench.another()
      const heard = decisionsOf(bench.supervisor)
      const opened = decisionsOf(next)
      const adopted = await next.open(holder.id())
      const session = adopted.exec('/tmp/hostile/dial', ...door, connect('after.test:443'))
      await session.start()
      await session.wait()
      const expected = [{ key: keyOf(holder), said: 'after.test:443 false' }]
      await eventually(() => assert.deepEqual([heard, opened], [expected, expected]))
      await holder.destroy()
      assert.deepEqual([heard, opened], [expected, expected])
    }))

  it('keeps no program running', () =>
    withWorkbench('linux', async bench => {
      const { stdout } = await runFixture('journal.ts', { stateDir: bench.stateDir })
      assert.equal((await bench.supervisor.open(stdout.trim())).state, 'running')
    }))
})
