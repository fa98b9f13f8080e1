import { strict as assert } from 'node:assert'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Enforcement } from '../../../src/index.ts'
import { RunningLimits } from '../../../src/task/running/limits.ts'
import { replaceRules, requireRules, withRules } from '../../../src/task/running/network-rules.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { type FakeTask, fakeTask, recorded } from '../../support/fake-task.ts'

const network = (requested: string): Enforcement => ({
  kind: 'isolation',
  name: 'network',
  requested,
  status: 'enforced',
  reason: null,
  hint: null,
  chosen: true,
})

describe('the destinations of a running task', () => {
  let task: FakeTask
  let shim: FakeShim
  beforeEach(() => {
    task = recorded(fakeTask({ keeper: { update: async () => [] } }))
    shim = new FakeShim(task.dir)
    shim.started()
  })
  afterEach(() => shim.gone())

  const rules = () => join(task.dir, 'egress.rules')
  const left = () => readdirSync(task.dir).filter(name => name.startsWith('egress.rules'))

  it('are replaced as a whole, readable by nobody else, and then the shim is told', () => {
    assert.equal(replaceRules(task.dir, { allow: ['a.test:443'] }), true)
    assert.equal(replaceRules(task.dir, { allow: ['b.test:22', 'c.test:*'] }), true)
    const text = readFileSync(rules(), 'utf8')
    assert.match(text, /b\.test 22\n.*c\.test 0\n$/)
    assert.doesNotMatch(text, /a\.test/)
    assert.equal(statSync(rules()).mode & 0o777, 0o600)
    assert.deepEqual([shim.told(), left()], [['egress', 'egress'], ['egress.rules']])
  })

  it('are none at all where the list is empty', () => {
    assert.equal(replaceRules(task.dir, { allow: [] }), true)
    assert.equal(readFileSync(rules(), 'utf8'), '')
  })

  it('take the place of a link, and do not write where it leads', () => {
    const elsewhere = join(task.dir, 'elsewhere')
    writeFileSync(elsewhere, 'theirs')
    symlinkSync(elsewhere, rules())
    replaceRules(task.dir, { allow: ['a.test:443'] })
    assert.equal(readFileSync(elsewhere, 'utf8'), 'theirs')
    assert.match(readFileSync(rules(), 'utf8'), /a\.test/)
  })

  it('are said not to have changed where nobody hears of it', () => {
    shim.gone()
    assert.equal(replaceRules(task.dir, { allow: [] }), false)
  })

  it('are taken by a task that was started with some alone', () => {
    assert.doesNotThrow(() => requireRules({ network: { allow: [] } }))
    const others: Pick<Command, 'network'>[] = [
      {},
      { network: 'host' },
      { network: 'none' },
      { network: { path: '/run/netns/x' } },
    ]
    for (const other of others)
      assert.throws(() => requireRules(other), {
        code: 'INVALID_ARGUMENT',
        message: /^network: /,
      })
  })

  it('are in the row of the network, and in no other', () => {
    const other = { ...network('1'), kind: 'limit', name: 'pids' } as const
    const [changed, same] = withRules([network('allow a.test'), other], { allow: ['b.test:22'] })
    assert.match(changed?.requested ?? '', /b\.test:22/)
    assert.equal(same, other)
  })

  describe('by an update', () => {
    const update = (allow: readonly string[]) =>
      new RunningLimits(task, { cgroups: () => {}, written: () => {} }).update({}, { allow })

    it('are refused before anything is touched where there were none', async () => {
      await assert.rejects(update(['a.test']), { code: 'INVALID_ARGUMENT' })
      assert.deepEqual([shim.told(), left()], [[], []])
    })

    it('are written down as the task’s row when the shim has been told', async () => {
      Object.assign(task.file.spec.request.command, { network: { allow: ['a.test'] } })
      Object.assign(task.file.spec, { enforcement: [network('allow a.test')] })
      await update(['b.test:22'])
      assert.deepEqual(shim.told(), ['egress'])
      const { enforcement } = new RunningLimits(task, { cgroups: () => {}, written: () => {} })
      assert.match(enforcement[0]?.requested ?? '', /b\.test:22/)
    })

    it('are not said to hold where the shim is gone, or their place cannot be taken', async () => {
      Object.assign(task.file.spec.request.command, { network: { allow: ['a.test'] } })
      Object.assign(task.file.spec, { enforcement: [network('allow a.test')] })
      mkdirSync(join(rules(), 'full'), { recursive: true })
      await assert.rejects(update(['b.test:22']))
      assert.deepEqual(left(), ['egress.rules'])
      rmSync(rules(), { recursive: true })
      shim.gone()
      await assert.rejects(update(['b.test:22']), { code: 'INVALID_STATE' })
      const { enforcement } = new RunningLimits(task, { cgroups: () => {}, written: () => {} })
      assert.equal(enforcement[0]?.requested, 'allow a.test')
    })
  })
})
