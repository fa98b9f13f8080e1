import { strict as assert } from 'node:assert'
import { join } from 'node:path'
import type { Command } from '../../src/index.ts'
import { taskEgress, taskOutput } from '../../src/task/task-output.ts'
import { FakeRuntime } from '../support/fake-runtime.ts'

describe('where the output of a task lies', () => {
  let bench: FakeRuntime
  beforeEach(() => (bench = new FakeRuntime()))
  afterEach(() => bench.dispose())

  async function sources(command: Partial<Command> = {}) {
    const task = bench.executor()
    Object.assign(task.command, command)
    await task.start()
    const { actor } = task.held
    const of = [task.held.requireProcess(), actor, bench.runtime] as const
    return {
      dir: bench.runtime.state.taskDirectory(task.key),
      actor,
      output: taskOutput(...of),
      egress: taskEgress(...of),
    }
  }

  for (const [what, command, files, indexFiles] of [
    ['rotated as is the default', {}, [4, 4], 4],
    ['rotated as asked', { logs: { maxBytes: 4096, maxFiles: 2 } }, [2, 2], 2],
    ['of one file where the caller has named it', { stdout: '/dev/null' }, [1, 4], 4],
    ['of one file each where the task writes them itself', { logs: 'plain' }, [1, 1], 0],
  ] as const)
    it(`is in logs ${what}`, async () => {
      const { dir, output } = await sources(command)
      const found = (['stdout', 'stderr'] as const).map(stream => output.log(stream).files)
      assert.deepEqual([found, output.indexFiles(), output.dir], [files, indexFiles, dir])
      assert.equal('numbering' in output.log('stdout'), false)
    })

  it('is numbered as asked', async () => {
    const { output } = await sources({ logs: { maxBytes: 4096, maxFiles: 2, numbering: 'increment' } })
    assert.equal(output.log('stderr').numbering, 'increment')
  })

  it('is written until the task has ended, and whoever follows is told of that', async () => {
    const { output, actor } = await sources()
    assert.equal(output.writing(), true)
    let ends = 0
    output.onEnd(() => ends++)
    const forgotten = output.onEnd(() => assert.fail('nobody hears it'))
    forgotten()
    bench.spawner.end()
    await actor.until(({ status }) => status === 'done')
    assert.deepEqual([output.writing(), ends], [false, 1])
  })

  it('is beside its decisions about destinations, which are in two files of its records', async () => {
    const { dir, egress } = await sources()
    assert.deepEqual(egress.target(), { base: null, path: join(dir, 'egress.ndjson') })
    assert.deepEqual([egress.files(), egress.writing()], [2, true])
  })
})
