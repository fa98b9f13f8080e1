import { strict as assert } from 'node:assert'
import { TaskDraft, type TaskOptions } from '../../src/task/task-draft.ts'
import { StateDirectory } from '../../src/task/task-directory.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('the draft of a task', () => {
  let stateDir: string
  beforeEach(() => {
    stateDir = temporaryDirectory('draft')
  })
  afterEach(() => removeTemporary(stateDir))

  function draft(options: TaskOptions = {}, lifeline = '/run/fifo'): TaskDraft {
    const services = {
      state: new StateDirectory(stateDir),
      orphans: 'keep',
      strict: false,
      durable: true,
      user: null,
      defaults: { pids: 100, memoryBytes: 2 ** 30 },
      shutdown: { signal: 'SIGTERM', graceMs: 5000, target: 'group' },
      lifelinePath: () => lifeline,
    } as const
    return new TaskDraft(services, 'basic', options, null)
  }

  it('goes by its own name, else by what the machine knows, else by its command', () => {
    const task = draft()
    task.command.path = '/usr/bin/sort'
    assert.equal(task.name(''), 'sort')
    task.command.name = 'sorter'
    assert.equal(task.name(''), 'sorter')
    assert.equal(task.name('known'), 'known')
    task.rename('own')
    assert.equal(task.name('known'), 'own')
    assert.equal(task.key, task.key)
    assert.notEqual(task.key, draft().key)
  })

  it('is frozen as what is stored: limits over defaults, strictness, the grace', async () => {
    const task = draft({ strict: true })
    task.command.path = 'sort'
    task.limit({ pids: 5 })
    task.limit({ pids: 7 })
    const asked = task.ask()
    const spec = task.freeze(asked, await asked.alloc)
    assert.deepEqual(spec.request.resources, { pids: 7, memoryBytes: 2 ** 30 })
    assert.deepEqual(
      [spec.request.key, spec.request.name, spec.request.strict, spec.request.graceMs, spec.ownAlloc],
      [task.key, 'sort', true, 5000, true],
    )
    assert.ok(Object.isFrozen(task.command))
  })

  it('has the lifeline of its supervisor only when it is not to outlive it', () => {
    for (const [orphans, owner] of [
      ['keep', null],
      ['kill', '/run/fifo'],
    ] as const) {
      const task = draft({ orphans })
      task.command.path = 'sort'
      assert.equal(task.ask().owner, owner)
    }
  })

  it('is refused without a command, and what it is given is checked at once', () => {
    const task = draft()
    assert.throws(() => task.requireCommand(), { code: 'INVALID_STATE' })
    assert.throws(() => task.limit({ pids: -1 }), { code: 'INVALID_ARGUMENT' })
    assert.throws(() => draft({ preferred: { pids: -1 } }), { code: 'INVALID_ARGUMENT' })
    assert.throws(() => task.putInto({} as never, 'web'), { code: 'INVALID_ARGUMENT' })
  })

  it('describes a task that was found on disk, and can be changed no more', async () => {
    const first = draft()
    Object.assign(first.command, { path: 'sort', args: ['-r'] })
    const asked = first.ask()
    const spec = first.freeze(asked, await asked.alloc)
    const second = draft()
    second.describe(spec)
    assert.deepEqual([second.key, second.name(''), second.command.args], [first.key, 'sort', ['-r']])
    assert.equal(second.takeName('other'), null)
    assert.equal(first.takeName('sort'), 'sort')
    assert.throws(() => {
      second.command.path = 'ls'
    }, TypeError)
  })
})
