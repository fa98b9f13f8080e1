import { strict as assert } from 'node:assert'
import { migrate } from '../../machines/index.ts'
import { isTaskSpec, specText, toEnvelope } from '../../src/task/task-spec.ts'
import { configured, fakeTask } from '../support/fake-task.ts'
import { removeTemporary } from '../support/temporary.ts'

describe('what task.json keeps of a task', () => {
  const task = fakeTask()
  after(() => removeTemporary(task.state.path))
  const stored = (spec = task.file.spec, delivered?: number) =>
    JSON.parse(toEnvelope(specText(spec), delivered, configured(), 5)) as { spec: Record<string, unknown> }

  it('is read again as it was written', () => {
    const { spec } = stored()
    assert.ok(isTaskSpec(spec))
    assert.deepEqual(spec, JSON.parse(JSON.stringify(task.file.spec)))
    assert.doesNotThrow(() => migrate(stored()))
  })

  it('has the number that counts now, and not the one that the task was read with', () => {
    const old = { ...task.file.spec, delivered: 2 }
    assert.deepEqual(stored(old, 4).spec, { ...stored().spec, delivered: 4 })
  })

  for (const path of [
    ['request'],
    ['request', 'key'],
    ['request', 'name'],
    ['request', 'platform'],
    ['request', 'command'],
    ['request', 'command', 'path'],
    ['request', 'alloc'],
    ['enforcement'],
    ['launchers'],
    ['logs'],
    ['logs', 'stdout'],
    ['logs', 'stderr', 'path'],
  ])
    it(`is none without ${path.join('.')}, or with another thing in its place`, () => {
      for (const value of [undefined, null, 7, 'windows', {}]) {
        const { spec } = stored()
        const parent = path.slice(0, -1).reduce((at, name) => at[name] as Record<string, unknown>, spec)
        const last = path.at(-1) ?? ''
        // What may be any text.
        if (typeof parent[last] === 'string' && typeof value === 'string' && last !== 'platform') continue
        parent[last] = value
        assert.equal(isTaskSpec(spec), false, `${path.join('.')} = ${JSON.stringify(value)}`)
      }
    })

  for (const none of [null, undefined, 5, 'x', [], {}])
    it(`is not ${JSON.stringify(none)}`, () => assert.equal(isTaskSpec(none), false))
})
