import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { installationOf, nativeHint, nativeMissing } from '../../src/spawn/native-hint.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

/** What a package manager leaves: the place of the package below the project, and its own marks. */
const installed: readonly (readonly [by: string, root: string, marks: readonly string[], hint: RegExp])[] = [
  ['clone', 'holdfast', ['holdfast/tsconfig.build.json'], /npm run build/],
  ['npm', 'node_modules/holdfast', ['node_modules/.package-lock.json'], /run npm rebuild holdfast/],
  [
    'pnpm',
    'node_modules/.pnpm/holdfast@0.1.0/node_modules/holdfast',
    ['node_modules/.modules.yaml'],
    /pnpm approve-builds/,
  ],
  ['pnpm', 'node_modules/holdfast', ['node_modules/.modules.yaml'], /pnpm approve-builds/],
  ['yarn', 'node_modules/holdfast', ['node_modules/.yarn-state.yml'], /dependenciesMeta.*"built": true/],
  ['yarn', '.yarn/unplugged/holdfast-npm-0.1.0-1/node_modules/holdfast', [], /dependenciesMeta/],
  ['yarn-classic', 'node_modules/holdfast', ['node_modules/.yarn-integrity'], /yarn install --force/],
  ['bun', 'node_modules/holdfast', ['bun.lock'], /bun pm trust holdfast/],
  ['unpacked', 'holdfast', [], /node scripts\/build-native\.mjs/],
]

describe('what gives an installation its native program', () => {
  let project: string
  let env: NodeJS.ProcessEnv
  beforeEach(() => {
    project = temporaryDirectory('installed')
    file('bin/cc')
    env = { PATH: join(project, 'bin') }
  })
  afterEach(() => removeTemporary(project))

  function file(path: string, text = ''): void {
    mkdirSync(dirname(join(project, path)), { recursive: true })
    writeFileSync(join(project, path), text)
  }

  function install(root: string, marks: readonly string[], name = 'holdfast'): string {
    file('package.json', '{}')
    file(`${root}/package.json`, JSON.stringify({ name }))
    for (const mark of marks) file(mark)
    return join(project, root)
  }

  for (const [by, root, marks, hint] of installed)
    it(`names the command of who has installed it: ${by}, at ${root}`, () => {
      const at = install(root, marks)
      assert.equal(installationOf(at).by, by)
      assert.match(nativeHint({ root: at, env }), hint)
      const others = installed.filter(([other]) => other !== by).map(([, , , command]) => command)
      assert.deepEqual(
        others.filter(other => other.test(nativeHint({ root: at, env }))),
        [],
      )
    })

  it('tells of a global installation as such', () => {
    file('lib/node_modules/holdfast/package.json', '{"name":"holdfast"}')
    const root = join(project, 'lib/node_modules/holdfast')
    assert.match(nativeHint({ root, env }), /npm rebuild --global holdfast/)
  })

  it('sends nobody to a compiler that is not there without a word of it, nor to a build where the package brings a program', () => {
    const root = install('node_modules/holdfast', ['node_modules/.package-lock.json'])
    const without = { PATH: '' }
    assert.match(
      nativeHint({ root, env: without, arch: 'riscv64' }),
      /^install a C compiler .* then run npm rebuild/,
    )
    assert.match(
      nativeHint({ root, env: without, arch: 'x64' }),
      /^remove .* and install the package again; or/,
    )
    assert.doesNotMatch(nativeHint({ root, env, arch: 'x64' }), /compiler/)
  })

  it('has another word for a bundle, and for a HOLDFAST_NATIVE that is in the way', () => {
    const bundle = install('dist', [], 'somebody-elses')
    assert.match(nativeHint({ root: bundle, env }), /beside the bundle, and set HOLDFAST_NATIVE/)
    const root = install('node_modules/holdfast', [])
    assert.match(nativeHint({ root, env: { ...env, HOLDFAST_NATIVE: 'off' } }), /^unset HOLDFAST_NATIVE$/)
    assert.match(nativeHint({ root, env: { ...env, HOLDFAST_NATIVE: '/nowhere' } }), /or unset it/)
  })

  it('ends with the one way to run without it, which has to be called for', () => {
    const { code, stage, hint } = nativeMissing('it has not been built')
    assert.deepEqual([code, stage], ['UNSUPPORTED', 'spawner'])
    assert.match(hint ?? '', /newBasicExecutor\(\), holdfast run --basic$/)
  })
})
