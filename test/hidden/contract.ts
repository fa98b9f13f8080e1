// The Basic contract where nothing but POSIX is to be had (test/hidden/run).
import { strict as assert } from 'node:assert'
import { existsSync, readdirSync } from 'node:fs'
import { adapters } from '../platform/contract/adapter.ts'
import { contract } from '../platform/contract.ts'

describe('this system', () => {
  it('has no /proc, no cgroups, no native program, and on PATH no more than node, sh and mkfifo', () => {
    assert.deepEqual([...readdirSync('/proc'), ...readdirSync('/sys')], [])
    assert.equal(existsSync('/dev/fd'), false)
    const tools = (process.env.PATH ?? '').split(':').flatMap(place => readdirSync(place))
    assert.deepEqual(tools.sort(), ['mkfifo', 'node', 'sh'])
  })
})

for (const adapter of adapters) if (!adapter.native) contract(adapter)
