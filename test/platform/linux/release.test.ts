import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { isOurs } from '../../../src/platform/linux/own-cgroup.ts'
import { releaseCgroups } from '../../../src/platform/linux/release.ts'
import { FakeHost } from '../fake-host.ts'

describe('releaseCgroups', () => {
  let host: FakeHost
  beforeEach(() => {
    host = new FakeHost()
  })
  afterEach(() => host.remove())

  it('removes groups, also those a task has made in its own, and does not mind what is gone', async () => {
    const dir = host.directory('cgroup/memory/holdfast/key')
    host.directory('cgroup/memory/holdfast/key/inner/most')
    await releaseCgroups([dir, host.path('cgroup/pids/holdfast/key')], isOurs)
    assert.equal(existsSync(dir), false)
    await releaseCgroups([dir], isOurs)
  })

  it('leaves everything alone that is not directly in a directory called holdfast', async () => {
    const others = [
      'cgroup/memory/system.slice',
      'cgroup/memory/holdfast',
      'cgroup/memory/holdfast/key/inner',
    ].map(name => host.directory(name))
    await releaseCgroups([...others, `${host.root}/cgroup/memory/holdfast/../system.slice`], isOurs)
    assert.deepEqual(
      others.filter(dir => !existsSync(dir)),
      [],
    )
  })

  it('knows its own by the path alone', () => {
    assert.equal(isOurs('/sys/fs/cgroup/memory/holdfast/key'), true)
    for (const path of [
      '/',
      '/holdfast',
      'holdfast/key',
      '/a/holdfast/../b',
      '/a/holdfast/..',
      '/a/holdfast/x/y',
    ])
      assert.equal(isOurs(path), false, path)
  })
})
