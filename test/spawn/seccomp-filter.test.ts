import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { packageRoot } from '../../src/spawn/native-program.ts'
import { requires } from '../support/requires.ts'
import { temporaryDirectory } from '../support/temporary.ts'

type Comparison = {
  readonly compared: number
  readonly differing: number
  readonly length: number
  readonly longestPath: number
  readonly longestPathWithoutArguments: number
}

/** For another architecture than this host's (test/arm64/run). */
const compiler = (process.env.HOLDFAST_TEST_CC ?? 'cc -fsanitize=undefined').split(' ')
const emulator = process.env.HOLDFAST_TEST_EMULATOR

describe('the filter of system calls', () => {
  let program = ''

  before(function () {
    requires(this, 'linux', 'native')
    if (process.arch !== 'x64' && process.arch !== 'arm64') return this.skip()
    program = compile()
  })

  it('says of every call number, on every architecture of this host, what the plain table says', () => {
    const { said, figures } = run(program)
    assert.deepEqual(said, [])
    assert.equal(figures.differing, 0)
    assert.ok(figures.compared > 2_000_000, String(figures.compared))
  })

  it('control: a table with a gap differs', () => {
    const { said, figures } = run(program, 'gap')
    assert.ok(figures.differing > 0)
    assert.match(said[0] ?? '', /^arch 0x[0-9a-f]+ call \d+ arguments/)
  })

  it('is a balanced tree: fourteen instructions at most, unless it looks at arguments', () => {
    const { figures } = run(program)
    assert.ok(figures.longestPathWithoutArguments <= 14, String(figures.longestPathWithoutArguments))
    assert.ok(figures.longestPath <= 24, String(figures.longestPath))
    assert.ok(figures.length <= 290, String(figures.length))
  })
})

function compile(): string {
  const native = join(packageRoot, 'src/spawn/native')
  const sources = ['seccomp_i386', 'failure', 'text', 'io'].map(name => join(native, `${name}.c`))
  const path = join(temporaryDirectory('filter'), 'filter')
  const fixture = join(packageRoot, 'test/fixtures/native/filter.c')
  const [cc = 'cc', ...more] = compiler
  const options = [...more, '-std=gnu11', '-D_GNU_SOURCE', '-O2', '-iquote', native]
  execFileSync(cc, [...options, '-o', path, fixture, ...sources], { stdio: 'pipe' })
  return path
}

function run(program: string, ...args: string[]): { said: string[]; figures: Comparison } {
  const [file, ...rest] = [...(emulator === undefined ? [] : [emulator]), program, ...args] as [
    string,
    ...string[],
  ]
  const lines = execFileSync(file, rest, { encoding: 'utf8' }).trimEnd().split('\n')
  return { said: lines.slice(0, -1), figures: JSON.parse(lines.at(-1) ?? '') as Comparison }
}
