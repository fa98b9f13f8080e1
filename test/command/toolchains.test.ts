import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { toolchains } from '../../src/command/toolchains.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('what a task needs of the programs that are on PATH', () => {
  let top: string
  let home: string
  before(() => {
    top = temporaryDirectory('toolchains')
    home = join(top, 'home')
    for (const path of [
      ...['.nvm/versions/node/v1/bin', '.nvm/versions/node/v1/lib', '.pyenv/shims', '.pyenv/libexec'],
      ...[
        '.local/bin',
        '.local/lib',
        '.cargo/bin',
        '.rustup',
        'bin',
        '.ssh',
        '.tool/bin',
        '.kept/bin',
        '.kept/lib',
      ],
    ])
      mkdirSync(join(home, path), { recursive: true })
    for (const path of ['opt/node/bin', 'work/node_modules/.bin'])
      mkdirSync(join(top, path), { recursive: true })
    for (const file of ['.cargo/bin/rustup', '.kept/credentials', '.ssh/id_rsa'])
      writeFileSync(join(home, file), '')
    symlinkSync(home, join(top, 'alias'))
  })
  after(() => removeTemporary(top))

  const shown = (...folders: readonly string[]) =>
    toolchains({ env: { PATH: folders.join(':') }, home }).mounts.map(({ source }) => source)

  it('is the whole installation of a Node of nvm and of a Python of pyenv, and of what lies outside the home directory', () => {
    assert.deepEqual(shown(join(home, '.nvm/versions/node/v1/bin')), [join(home, '.nvm/versions/node/v1')])
    assert.deepEqual(shown(join(home, '.pyenv/shims')), [join(home, '.pyenv')])
    assert.deepEqual(shown(join(top, 'opt/node/bin')), [join(top, 'opt/node')])
  })

  it('is read-only, each at its own path', () => {
    const { mounts } = toolchains({ env: { PATH: join(home, '.pyenv/shims') }, home })
    assert.deepEqual(mounts, [{ source: join(home, '.pyenv'), target: join(home, '.pyenv'), readOnly: true }])
  })

  for (const [what, path] of [
    ['lies in the home directory itself', 'bin'],
    ['is shared with what else programs keep', '.local/bin'],
    ['does not look like an installation', '.tool/bin'],
    ['has keys above it', '.kept/bin'],
    ['is the one of cargo, which keeps a token', '.cargo/bin'],
  ] as const)
    it(`is the directory alone where it ${what}`, () => {
      assert.ok(shown(join(home, path)).includes(join(home, path)))
      assert.ok(!shown(join(home, path)).includes(dirname(join(home, path))))
    })

  it('is never the home directory, under whatever name, nor what holds it, nor its keys', () => {
    const refused = [home, top, join(top, 'alias'), join(home, '.ssh'), '/', '/proc/self', '/dev']
    const { mounts, left, env } = toolchains({ env: { PATH: refused.join(':') }, home })
    assert.deepEqual(mounts, [])
    assert.deepEqual(left, refused)
    assert.ok(!env.PATH?.includes(home))
  })

  it('leaves out what the task has: the directories of the system, its workspace, what is not there, relative ones', () => {
    const PATH = ['/usr/bin', '/bin', join(top, 'work/node_modules/.bin'), '/nowhere', '.', ''].join(':')
    const { mounts, env, left } = toolchains({ env: { PATH }, home, shown: [join(top, 'work')] })
    assert.deepEqual(mounts, [])
    assert.deepEqual(left, [])
    assert.equal(
      env.PATH,
      `/usr/bin:/bin:${join(top, 'work/node_modules/.bin')}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin`,
    )
  })

  it('is the installation that a program of PATH is a link to, with what the link leads through; not one that holds keys, nor what is no installation', () => {
    for (const path of [
      'uv/cpython-3.1.2/bin',
      'uv/cpython-3.1.2/lib',
      '.kept/bin',
      'scripts/bin',
      '.venv/bin',
    ])
      mkdirSync(join(home, path), { recursive: true })
    const python = join(home, 'uv/cpython-3.1.2/bin/python3')
    for (const path of [python, join(home, '.kept/bin/tool'), join(home, 'scripts/bin/mine')])
      writeFileSync(path, '')
    symlinkSync('cpython-3.1.2', join(home, 'uv/cpython-3.1'))
    const bin = join(home, '.venv/bin')
    for (const [name, target] of Object.entries({
      python: 'python3',
      python3: join(home, 'uv/cpython-3.1/bin/python3'),
      tool: join(home, '.kept/bin/tool'),
      mine: join(home, 'scripts/bin/mine'),
      nowhere: join(home, 'nowhere/bin/x'),
    }))
      symlinkSync(target, join(bin, name))
    const { mounts } = toolchains({ env: { PATH: bin }, home, shown: [join(home, '.venv')] })
    assert.deepEqual(mounts.map(({ source }) => source).sort(), [
      join(home, 'uv/cpython-3.1'),
      join(home, 'uv/cpython-3.1.2'),
    ])
  })

  it('passes on which of several versions is meant', () => {
    const env = { PATH: join(home, '.pyenv/shims'), PYENV_VERSION: '3.12.1' }
    assert.equal(toolchains({ env, home }).env.PYENV_VERSION, '3.12.1')
  })

  it('says in variables where tools have what is theirs, and passes on no other variable', () => {
    const env = {
      PATH: [join(home, '.pyenv/shims'), join(home, '.cargo/bin'), join(top, 'opt/node/bin')].join(':'),
      JAVA_HOME: join(top, 'opt/node'),
      GOROOT: join(home, 'elsewhere'),
      AWS_SECRET_ACCESS_KEY: 'secret',
    }
    const { env: given, mounts } = toolchains({ env, home })
    assert.deepEqual(
      { ...given, PATH: undefined },
      {
        PATH: undefined,
        PYENV_ROOT: join(home, '.pyenv'),
        RUSTUP_HOME: join(home, '.rustup'),
        JAVA_HOME: join(top, 'opt/node'),
      },
    )
    assert.ok(mounts.some(({ source }) => source === join(home, '.rustup')))
  })
})
