import { strict as assert } from 'node:assert'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { StateDirectory, temporaryName } from '../../src/task/task-directory.ts'
import { newTaskKey } from '../../src/task/task-id.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

describe('a state directory', () => {
  let base: string
  let state: StateDirectory
  let key: string
  beforeEach(() => {
    base = temporaryDirectory('state')
    state = new StateDirectory(join(base, 'deep/state'))
    key = newTaskKey()
  })
  afterEach(() => removeTemporary(base))

  it('is made at the first task, and not before', () => {
    assert.deepEqual(state.list(), [])
    assert.throws(() => state.read(key), { code: 'NOT_FOUND' })
    assert.equal(existsSync(state.path), false)
    state.create(key, '{}')
    assert.deepEqual([state.read(key), state.list()], ['{}', [key]])
  })

  it('lets nobody see its records, and others pass to an allocation whose key they know', function () {
    if (process.platform === 'win32') return this.skip()
    state.create(key, '{}')
    const paths = [
      state.path,
      join(state.path, 'tasks'),
      join(state.path, 'allocs'),
      state.taskDirectory(key),
    ]
    assert.deepEqual(paths.map(mode), ['711', '700', '711', '700'])
    assert.equal(mode(join(state.taskDirectory(key), 'task.json')), '600')
    assert.equal(mode(state.lifelinesDirectory()), '700')
  })

  it('lists tasks from the oldest on, and nothing else that lies there', () => {
    const keys = [newTaskKey(), newTaskKey(), newTaskKey()]
    for (const one of [...keys].reverse()) state.create(one, '{}')
    mkdirSync(join(state.path, 'tasks/.nfs0001'))
    assert.deepEqual(state.list(), [...keys].sort())
  })

  it('replaces a record as a whole: each is a new file, and none is left over', () => {
    state.create(key, '1')
    const before = state.stamp(key)
    state.write(key, '2')
    assert.equal(state.read(key), '2')
    assert.notEqual(state.stamp(key), before)
    assert.deepEqual(readdirSync(state.taskDirectory(key)), ['task.json'])
    assert.equal(state.stamp(newTaskKey()), null)
  })

  it('does not write through a link that lies in the record’s place, nor read through it', () => {
    state.create(key, '1')
    const path = join(state.taskDirectory(key), 'task.json')
    const victim = join(base, 'victim')
    writeFileSync(victim, 'precious')
    rmSync(path)
    symlinkSync(victim, path)
    assert.throws(() => state.read(key), { code: 'STATE_CORRUPT' })
    state.write(key, '2')
    assert.equal(state.read(key), '2')
    assert.equal(statSync(victim).size, 'precious'.length)
  })

  it('says null of a directory without a record, NOT_FOUND with a hint without a directory', () => {
    state.create(key, '1')
    rmSync(join(state.taskDirectory(key), 'task.json'))
    assert.equal(state.read(key), null)
    assert.throws(() => state.read(newTaskKey()), { code: 'NOT_FOUND', hint: /ps --all/ })
  })

  it('is made again when somebody has removed it while we lived', () => {
    state.create(key, '1')
    rmSync(state.path, { recursive: true })
    const other = newTaskKey()
    state.create(other, '2')
    assert.deepEqual(state.list(), [other])
  })

  it('leaves no half of a task behind that could not be recorded', () => {
    state.prepare()
    assert.throws(() => state.create(key, { toString: () => assert.fail('no text') } as unknown as string))
    assert.deepEqual(readdirSync(join(state.path, 'tasks')), [])
  })

  it('says which file lies where a directory should be', () => {
    mkdirSync(join(base, 'deep'))
    writeFileSync(state.path, '')
    assert.throws(() => state.create(key, '1'), { stage: 'state' })
  })

  it('does not trust a directory in which somebody else may write', function () {
    if (process.platform === 'win32') return this.skip()
    state.create(key, '1')
    for (const path of [state.path, join(state.path, 'tasks'), state.taskDirectory(key)]) {
      const before = statSync(path).mode & 0o777
      chmodSync(path, 0o777)
      const fresh = new StateDirectory(state.path)
      assert.throws(() => fresh.read(key), { code: 'PERMISSION', hint: `chmod go-w '${path}'` })
      chmodSync(path, before)
    }
    assert.equal(new StateDirectory(state.path).read(key), '1')
  })

  it('builds an allocation, also where an earlier start has built it, and removes it', async () => {
    const paths = await state.buildAlloc(key, 'web')
    assert.ok(existsSync(paths.local))
    assert.deepEqual(await state.buildAlloc(key, 'web'), paths)
    await state.removeAlloc(key, 'web')
    assert.equal(existsSync(state.allocDirectory(key)), false)
  })

  it('removes an allocation of which nothing else is known', async () => {
    const { local } = await state.buildAlloc(key, 'web')
    mkdirSync(join(local, 'a/b'), { recursive: true })
    await state.removeAlloc(key)
    assert.equal(existsSync(state.allocDirectory(key)), false)
  })

  it('removes a task, flat or not, and one that is gone', () => {
    state.create(key, '1')
    writeFileSync(join(state.taskDirectory(key), 'exit.json'), '')
    state.remove(key)
    state.remove(key)
    assert.deepEqual(state.list(), [])
    state.create(key, '1')
    mkdirSync(join(state.taskDirectory(key), 'planted/deep'), { recursive: true })
    state.remove(key)
    assert.equal(existsSync(state.taskDirectory(key)), false)
  })

  it('names temporary files so that two programs do not write one', () => {
    assert.match(temporaryName('/s/task.json'), /^\/s\/task\.json\.[0-9a-f]{8}\.tmp$/)
    assert.equal(temporaryName('/s/x'), temporaryName('/s/x'))
  })
})
