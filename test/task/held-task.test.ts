import { strict as assert } from 'node:assert'
import { existsSync } from 'node:fs'
import { Readable } from 'node:stream'
import { lastValueFrom, toArray } from 'rxjs'
import type { TaskPaths } from '../../src/platform/port.ts'
import { HeldTask } from '../../src/task/held-task.ts'
import { newTaskKey } from '../../src/task/task-id.ts'
import { FakeRuntime } from '../support/fake-runtime.ts'
import { refuses } from '../support/refuses.ts'

describe('a task as its supervisor holds it', () => {
  let bench: FakeRuntime
  beforeEach(() => (bench = new FakeRuntime()))
  afterEach(() => bench.dispose())

  /** One that nobody has started; its face is no executor. */
  const configured = () => {
    const heard: string[] = []
    const changes = {
      areHeard: true,
      publish: ({ type }: { readonly type: string }) => void heard.push(type),
    }
    const face = { key: newTaskKey() }
    return {
      heard,
      held: new HeldTask<typeof face>({ ...bench.runtime, find: () => undefined, changes }, face),
    }
  }

  describe('that was not started', () => {
    it('has no processes, no owner, and is nobody else’s', () => {
      const { held } = configured()
      assert.deepEqual([held.process, held.owner, held.takenOver], [null, null, false])
      assert.throws(() => held.requireProcess(), { code: 'INVALID_STATE' })
    })

    it('may be started and destroyed, and nothing else', async () => {
      const { held, heard } = configured()
      assert.equal(held.allow('start'), true)
      for (const work of [() => held.running('signal'), () => held.execTarget(), () => held.allow('wait')])
        assert.throws(work, { code: 'INVALID_STATE' })
      await refuses(
        held.wait().catch((error: unknown) => Promise.reject(error as Error)),
        { code: 'INVALID_STATE' },
      )
      const once = held.destroy()
      assert.equal(held.destroy(), once)
      await once
      assert.deepEqual(heard, ['destroyed'])
      assert.throws(() => held.refuseIfDestroyed(), { code: 'INVALID_STATE' })
    })

    it('is not begun where it was destroyed while its directory was made', async () => {
      const { held } = configured()
      let made = (_: TaskPaths): void => {}
      const building = held.built(new Promise<TaskPaths>(resolve => (made = resolve)), 'web')
      const destroyed = held.destroy()
      made({} as TaskPaths)
      await refuses(building, { code: 'INVALID_STATE' })
      await destroyed
    })
  })

  describe('that runs', () => {
    it('lets signals, limits and sessions at its processes, until it has ended', async () => {
      const { held } = await bench.started()
      assert.equal(held.running('signal'), held.process)
      assert.equal(held.execTarget().command.path, '/bin/sh')
      bench.spawner.end()
      await held.wait()
      assert.throws(() => held.running('signal'), { code: 'INVALID_STATE' })
      assert.throws(() => held.execTarget(), { code: 'INVALID_STATE' })
    })

    it('is stopped by a shutdown, sooner by a second one, and both are noted', async () => {
      const { held } = await bench.started()
      const stops = [held.shutdown({ signal: 'SIGHUP', graceMs: 60_000 }), held.shutdown({ graceMs: 30_000 })]
      const forced = held.forceStop()
      bench.spawner.end({ exitCode: null, signal: 9 })
      await Promise.all([...stops, forced])
      assert.deepEqual(
        bench.entries
          .filter(({ from, to }) => from === 'stopping' && to === 'stopping')
          .map(({ event }) => event),
        ['STOP', 'KILL'],
      )
    })

    it('is stopped when its input breaks off, once, and its result says so', async () => {
      const { held } = await bench.started()
      assert.equal(held.inputOf(null), null)
      const input = held.inputOf(Readable.from(['half']))
      input?.failed(new Error('reset by peer'))
      input?.failed(new Error('again'))
      assert.equal(held.actor.snapshot().value, 'stopping')
      bench.spawner.end({ exitCode: null, signal: 15 })
      const { error } = await held.wait()
      assert.match(`${error?.message}`, /reset by peer/)
      assert.equal(bench.entries.filter(({ event }) => event === 'input failed').length, 1)
    })

    it('has no decisions about destinations where it has no rules', async () => {
      const { held } = await bench.started()
      assert.deepEqual(await lastValueFrom(held.egressEntries$(true).pipe(toArray())), [])
    })

    it('is killed and removed by destroy(), which tries again after a failure', async () => {
      const task = await bench.started()
      const { held } = task
      const process = held.requireProcess()
      const remove = process.remove.bind(process)
      process.remove = () => Promise.reject(new Error('busy'))
      const failed = held.destroy()
      bench.spawner.end({ exitCode: null, signal: 9 })
      await assert.rejects(failed, /busy/)
      assert.equal(bench.tasks.has(task.key), true)
      process.remove = remove
      await held.destroy()
      assert.equal(bench.tasks.has(task.key), false)
      assert.equal(existsSync(bench.runtime.state.taskDirectory(task.key)), false)
      assert.equal(bench.runtime.processes.has(task.key), false)
    })

    it('that its supervisor has let go of goes on, and only its id is good', async () => {
      const task = await bench.started()
      const waiting = refuses(task.held.wait(), { code: 'INVALID_STATE' })
      task.held.detach()
      await waiting
      assert.deepEqual(bench.spawner.shim.told(), [])
      assert.equal(task.held.allow('id'), true)
      assert.throws(() => task.held.allow('signal'), { code: 'INVALID_STATE' })
    })
  })
})
