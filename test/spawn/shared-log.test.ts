import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/spawn/native-program.ts'
import { requires } from '../support/requires.ts'
import { temporaryDirectory } from '../support/temporary.ts'

describe('two shims that write one log (under sanitizers)', function () {
  this.timeout(120_000)
  let program = ''
  before(function () {
    requires(this, 'linux', 'native')
    program = compile()
  })

  it('keeps what the second writes when it comes amid a write of the first', () => {
    assert.deepEqual(run('opens'), { lines: ['one', 'one again', 'two'], splices: false })
  })

  it('keeps what the second writes when it was there before the first wrote', () => {
    assert.deepEqual(run('writes'), { lines: ['one', 'one again', 'two'], splices: false })
  })

  it('is not kept from splicing by the read locks of one that may only read', () => {
    assert.deepEqual(run('reader'), { lines: ['one', 'one again'], splices: true })
  })

  for (const mode of ['opens', 'writes'])
    it(`control: without turns the first writes over the second (${mode})`, () => {
      assert.deepEqual(run('unlocked', mode).lines, ['one', 'one again'])
    })

  /** The lines of the log, sorted, and whether the first still splices. */
  function run(...modes: string[]): { lines: string[]; splices: boolean } {
    const logs = temporaryDirectory('shared-log')
    const said = execFileSync(program, [...modes, logs], { encoding: 'utf8' })
    const lines = readFileSync(join(logs, 'out'), 'utf8').trimEnd().split('\n')
    return { lines: lines.sort(), splices: said === '1\n' }
  }
})

function compile(): string {
  const native = join(packageRoot, 'src/spawn/native')
  const others = readdirSync(native).filter(name => name.endsWith('.c') && !/^(main|pump)\.c$/.test(name))
  const path = join(temporaryDirectory('two-pumps'), 'two-pumps')
  const fixture = join(packageRoot, 'test/fixtures/native/two_pumps.c')
  const options = [
    '-std=gnu11',
    '-D_GNU_SOURCE',
    '-g',
    '-fsanitize=address,undefined',
    '-pthread',
    '-iquote',
    native,
  ]
  const sources = [fixture, ...others.map(name => join(native, name))]
  execFileSync('cc', [...options, '-o', path, ...sources], { stdio: 'pipe' })
  return path
}
