import { strict as assert } from 'node:assert'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HoldfastError } from '../../src/index.ts'
import { rehydrate } from '../../src/task/rehydrate.ts'
import { newTaskKey } from '../../src/task/task-id.ts'
import { FakeRuntime } from '../support/fake-runtime.ts'
import { fakeTask, recorded } from '../support/fake-task.ts'
import { refuses } from '../support/refuses.ts'

describe('a stored task', () => {
  let first: FakeRuntime
  let next: FakeRuntime
  beforeEach(() => {
    first = new FakeRuntime()
    next = first.another()
  })
  afterEach(() => first.dispose())

  /** Started by a supervisor that has let go of it. */
  async function abandoned(): Promise<string> {
    const task = await first.started()
    task.held.detach()
    return task.key
  }
  const found = (key: string) => rehydrate(next.runtime, key)
  const corrupt = (key: string, message: RegExp): Promise<HoldfastError> =>
    refuses(found(key), { code: 'STATE_CORRUPT', message })

  it('that runs goes on where it was', async () => {
    const { final, events, snapshot } = await found(await abandoned())
    assert.deepEqual([final, events], [false, [{ type: 'RETRY' }]])
    // What is stored lags one step behind: that it runs its directory says.
    assert.deepEqual(snapshot.value, { limited: 'launching' })
  })

  it('that has ended meanwhile ended as its shim has recorded, and this is to be published', async () => {
    const key = await abandoned()
    first.spawner.end({ exitCode: 3 })
    const { final, events, snapshot } = await found(key)
    assert.deepEqual([final, events, snapshot.value], [false, [], 'exited'])
    const { exitCode, cause, evidence } = snapshot.context.outcome ?? assert.fail()
    assert.deepEqual([exitCode, cause, evidence], [3, 'exited', 'record'])
  })

  it('whose shim has vanished is lost, and began when it did', async () => {
    const key = await abandoned()
    first.spawner.shim.started(1234)
    first.spawner.vanish()
    const { snapshot } = await found(key)
    const { cause, evidence, startedAt, survivors, exitCode } = snapshot.context.outcome ?? assert.fail()
    assert.deepEqual([cause, evidence, startedAt, survivors, exitCode], ['lost', 'inferred', 1234, [], null])
  })

  it('whose end is known is as it was, whatever lies in its directory now', async () => {
    const task = await first.started()
    first.spawner.end({ exitCode: 4 })
    await task.wait()
    task.held.flush()
    writeFileSync(join(first.runtime.state.taskDirectory(task.key), 'exit.json'), 'rubbish')
    const { final, events, snapshot, delivered } = await found(task.key)
    assert.deepEqual([final, events, snapshot.context.outcome?.exitCode], [true, [], 4])
    assert.ok(delivered > 0)
  })

  it('that a dead supervisor has not come to launch is launched by nobody', async () => {
    const task = recorded(fakeTask())
    const { final, events, snapshot } = await rehydrate(task.services, task.file.spec.request.key)
    assert.deepEqual([final, snapshot.value], [false, 'configured'])
    assert.deepEqual(events, [{ type: 'RETRY' }])
  })

  it('is not found where there is none, or less than one', async () => {
    const key = newTaskKey()
    await refuses(found(key), { code: 'NOT_FOUND' })
    mkdirSync(first.runtime.state.taskDirectory(key), { recursive: true })
    await refuses(found(key), { code: 'NOT_FOUND', hint: /audit --fix/ })
  })

  it('cannot be used where task.json is gone, no JSON, of an unknown version or no task', async () => {
    const key = await abandoned()
    const path = join(first.runtime.state.taskDirectory(key), 'task.json')
    for (const [text, message] of [
      ['{', /no JSON/],
      ['{}', /./],
      ['{"format":"holdfast.task","version":99,"snapshot":{},"spec":{}}', /./],
    ] as const) {
      writeFileSync(path, text)
      assert.equal((await corrupt(key, message)).path, path)
    }
    rmSync(path)
    await corrupt(key, /task\.json is missing/)
  })
})
