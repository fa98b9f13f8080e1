import assert from 'node:assert/strict'
import { ownKey, scopeOf } from '../../../src/platform/linux/cgroup-names.ts'
import type { CgroupHost } from '../../../src/platform/linux/cgroup-mode.ts'

describe('the name of a task in its cgroups', () => {
  it('is the key that all of them bear', () => {
    assert.equal(ownKey(['/cg/memory/holdfast/a1', '/cg/cpu/holdfast/a1']), 'a1')
  })

  it('is nobody else’s: not where one is another’s, is not below ours, or there is none', () => {
    assert.equal(ownKey(['/cg/memory/holdfast/a1', '/cg/cpu/holdfast/b2']), null)
    assert.equal(ownKey(['/cg/memory/nomad/a1']), null)
    assert.equal(ownKey(['/cg/memory/holdfast/a1', '/cg/cpu/nomad/a1']), null)
    assert.equal(ownKey([]), null)
  })

  describe('under systemd', () => {
    const v2 = { mount: '/cg', controllers: new Set<string>() }
    const host = { mode: 'v2', v1: new Map(), v2, unusable: new Map() } as CgroupHost
    const scoped = '/cg/system.slice/holdfast-7-1.scope/holdfast/web.a1'

    it('lies in the scope of whichever spawner has put it there', () => {
      assert.deepEqual(scopeOf([scoped], host), {
        unit: 'holdfast-7-1.scope',
        path: '/system.slice/holdfast-7-1.scope',
      })
    })

    it('lies in none where there is no scope of holdfast, or no cgroup2', () => {
      assert.equal(scopeOf(['/cg/system.slice/session-1.scope/holdfast/a1'], host), null)
      assert.equal(scopeOf([scoped], { ...host, v2: null }), null)
      assert.equal(scopeOf([], host), null)
    })
  })
})
