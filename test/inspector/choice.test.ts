import { strict as assert } from 'node:assert'
import { addressIn, hashOf } from '../../web/address.ts'
import { type Choice, chosen, counted, everything, toggled } from '../../web/choice.ts'
import type { Row } from '../../web/types.ts'
import { unknown } from './rows.ts'

const rows: readonly Row[] = [
  {
    ...unknown,
    key: 'f',
    name: 'job-10',
    cause: 'exited',
    exitCode: 0,
    labels: { app: 'job', tier: 'back' },
  },
  { ...unknown, key: 'e', name: 'web-1', state: 'running', labels: { app: 'web', tier: 'front' } },
  { ...unknown, key: 'd', name: 'job-2', cause: 'exited', exitCode: 3, labels: { app: 'job', tier: 'back' } },
  { ...unknown, key: 'c', name: 'web-2', state: 'stopping', labels: { app: 'web', tier: 'front' } },
  { ...unknown, key: 'b', name: 'train', cause: 'oom', labels: { app: 'train', tier: 'back' } },
  { ...unknown, key: 'a', name: 'web-0', state: 'running', labels: { app: 'web' } },
]
const using = new Map([
  ['a', { cpu: 50, memory: 1 }],
  ['c', { cpu: null, memory: 2 }],
  ['e', { cpu: 5, memory: 3 }],
])

function keys(choice: Partial<Choice>): string {
  return chosen(rows, { ...everything, ...choice }, key => using.get(key))
    .map(({ key }) => key)
    .join('')
}

describe('what the list of the inspector shows', () => {
  it('is all of it, what runs first and the newest of that, where nothing was chosen', () => {
    assert.equal(keys({}), 'eacfdb')
  })

  it('is in the order that was asked for, with numbers as such and the unknown last', () => {
    assert.equal(keys({ order: 'newest' }), 'fedcba')
    assert.equal(keys({ order: 'name' }), 'dfbaec')
    assert.equal(keys({ order: 'cpu' }), 'aefdcb')
    assert.equal(keys({ order: 'memory' }), 'ecafdb')
  })

  it('is what was chosen: any of a group, and of every group', () => {
    assert.equal(keys({ state: ['stopping'] }), 'c')
    assert.equal(keys({ state: ['stopping', 'running'] }), 'eac')
    assert.equal(keys({ end: ['exit ≠ 0', 'oom'] }), 'db')
    assert.equal(keys({ end: ['exit 0'], state: ['running'] }), '')
    assert.equal(keys({ label: ['app=web'] }), 'eac')
    assert.equal(keys({ label: ['app=web', 'tier=front'] }), 'ec')
    assert.equal(keys({ label: ['app=web', 'app=train'] }), 'eacb')
    assert.equal(keys({ label: ['app=web', 'app=train', 'tier=back'] }), 'b')
    assert.equal(keys({ search: 'TIER=fr' }), 'ec')
    assert.equal(keys({ search: 'job', end: ['exit ≠ 0'] }), 'd')
  })

  it('counts of each group what a choice in it would show', () => {
    const choice: Choice = { ...everything, label: ['tier=back'], end: ['oom'] }
    assert.deepEqual(Object.fromEntries(counted(rows, choice, 'end')), { 'exit 0': 1, 'exit ≠ 0': 1, oom: 1 })
    assert.deepEqual(Object.fromEntries(counted(rows, choice, 'state')), { exited: 1 })
    assert.deepEqual(Object.fromEntries(counted(rows, choice, 'label')), { 'app=train': 1, 'tier=back': 1 })
  })

  it('is chosen and let go of by the same step', () => {
    const once = toggled(everything, 'state', 'running')
    assert.deepEqual(once.state, ['running'])
    assert.deepEqual(toggled(once, 'state', 'running'), everything)
  })
})

describe("the inspector's address", () => {
  it('says which task and what was chosen, and nothing where nothing was', () => {
    const choice: Choice = {
      search: 'a&b=c#d',
      state: ['running', 'exited'],
      end: ['exit ≠ 0'],
      label: ['app=x&y', 'tier='],
      order: 'cpu',
    }
    for (const address of [
      { task: null, choice: everything },
      { task: 'mx12lx', choice: everything },
      { task: 'mx12lx', choice },
    ])
      assert.deepEqual(addressIn(hashOf(address)), address)
    assert.equal(hashOf({ task: null, choice: everything }), '')
    assert.equal(hashOf({ task: 'mx12lx', choice: everything }), '#task=mx12lx')
  })

  it('means the usual order by one that there is not', () => {
    assert.deepEqual(addressIn('#order=__proto__&task='), { task: null, choice: everything })
  })
})
