import { strict as assert } from 'node:assert'
import { placesOf } from '../../src/task/own-users/places.ts'
import type { MountOp } from '../../src/spawn/spec.ts'

const bind = (source: string, more: object = {}): MountOp => ({
  op: 'bind',
  source,
  base: null,
  at: '/x',
  readOnly: false,
  devices: false,
  ...more,
})
const log = (path: string) => ({ base: null, path })
const none = { stdout: log('/dev/null'), stderr: log('/dev/null') }

describe('where a task of a user of its own can leave files', () => {
  it('is what is mounted writable and is mapped to nobody else', () => {
    const owner = { uid: 1, gid: 1 }
    const root = [
      bind('/absent/written'),
      bind('/absent/read', { readOnly: true }),
      bind('/absent/device', { devices: true }),
      bind('/absent/mapped', { map: { owner, user: owner } }),
      bind('/alloc/local'),
    ]
    assert.deepEqual(placesOf({ root, ...none }, '/alloc'), ['/absent/written'])
  })

  it('is each log of the caller’s, once, and none of the allocation', () => {
    const logs = { stdout: { base: '/absent', path: 'out' }, stderr: log('/absent/out') }
    assert.deepEqual(placesOf({ root: [], ...logs }, '/alloc'), ['/absent/out'])
    const own = { stdout: log('/alloc/logs/out'), stderr: log('fd:3') }
    assert.deepEqual(placesOf({ root: [], ...own }, '/alloc'), [])
  })
})
