import { strict as assert } from 'node:assert'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AllocDir, Supervisor } from '../src/index.ts'
import { namedOnlyOnHost } from '../src/command/only-on-host.ts'
import { lookPath } from '../src/command/lookup.ts'
import { parseMount } from '../src/cli/parse/mount.ts'

describe('a working directory that has been deleted', () => {
  const before_ = process.cwd()
  beforeEach(() => {
    const gone = mkdtempSync(join(tmpdir(), 'holdfast-gone-'))
    process.chdir(gone)
    rmdirSync(gone)
    assert.throws(() => process.cwd(), 'control: Node has no word of its own for it')
  })
  afterEach(() => process.chdir(before_))

  for (const [what, use] of [
    ['stateDir', () => new Supervisor({ stateDir: 'state' })],
    ['an allocation path', () => new AllocDir('alloc')],
    ['--mount', () => parseMount('data:/data')],
  ] as const)
    it(`${what} that is relative is refused in words that name it`, () => {
      assert.throws(use, /working directory has been deleted/)
    })

  it('an absolute path needs none', () => {
    assert.equal(new AllocDir('/some/where').path, '/some/where')
    assert.equal(parseMount('/data').source, '/data')
  })

  it('a program is found by the absolute directories of PATH', () => {
    assert.match(lookPath('sh', 'bin::/usr/bin:/bin'), /^\/(usr\/)?bin\/sh$/)
  })

  it('what a relative argument names is nowhere', () => {
    const command = { path: '/bin/sh', args: ['./data', '/etc/../opt/../root'], env: {} }
    assert.deepEqual(namedOnlyOnHost(command), [{ path: '/root', flags: '--mount /root' }])
  })
})
