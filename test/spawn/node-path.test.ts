import { strict as assert } from 'node:assert'
import { chmodSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { nodePath } from '../../src/spawn/portable/node-path.ts'
import { temporaryDirectory } from '../support/temporary.ts'

describe("Node's own program", () => {
  it('is found by the name that Node was called by, where Node knows no more (no /proc)', () => {
    const place = temporaryDirectory('node')
    writeFileSync(join(place, 'node'), '')
    chmodSync(join(place, 'node'), 0o755)
    assert.equal(nodePath('/opt/node', place), '/opt/node')
    assert.equal(nodePath('node', `/no/such:${place}`), join(place, 'node'))
    assert.equal(nodePath('./bin/node', place), resolve('bin/node'))
    assert.throws(() => nodePath('node', '/no/such'), { code: 'START_FAILED', errno: 'ENOENT' })
  })
})
