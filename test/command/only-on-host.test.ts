import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  namedOnlyOnHost,
  namingHostPaths,
  pathOnlyOnHost,
  shadowsOnHost,
} from '../../src/command/only-on-host.ts'
import { HoldfastError } from '../../src/errors.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { withVariable } from '../support/variable.ts'

describe('what is on the host, and not in the root of the task', () => {
  let dir: string
  before(() => {
    dir = temporaryDirectory('only-on-host')
    mkdirSync(join(dir, 'bin'))
    for (const [name, text] of [
      ['app.js', ''],
      ['bin/tool', '#!/bin/sh\n'],
      ['script', `#! ${join(dir, 'bin/tool')} -x\n`],
    ] as const) {
      writeFileSync(join(dir, name), text)
      chmodSync(join(dir, name), 0o755)
    }
  })
  after(() => removeTemporary(dir))

  const plain = { path: 'x', args: [], env: {} }
  const hint = (command: object, stage = 'exec', errno = 'ENOENT'): string | undefined => {
    const error = new HoldfastError('START_FAILED', 'failed', { stage, errno, hint: 'as it was' })
    return (namingHostPaths(error, { ...plain, ...command }) as HoldfastError).hint
  }
  const mounted = (at: string) => ({ mounts: [{ source: at, target: at }] })

  it('is named where it is the program, by its path, or found on PATH', () => {
    assert.match(hint({ path: join(dir, 'bin/tool') }) ?? '', new RegExp(`--mount ${dir}/bin/tool\\)`))
    assert.match(
      hint({ path: 'tool', env: { PATH: join(dir, 'bin') } }) ?? '',
      new RegExp(`--mount ${dir}/bin\\)`),
    )
  })

  it('is named where it is the interpreter of a script that is shown', () => {
    const script = join(dir, 'script')
    assert.match(hint({ path: script, ...mounted(script) }) ?? '', new RegExp(`--mount ${dir}/bin/tool\\)`))
  })

  it('is named where it is the working directory', () => {
    assert.match(hint({ cwd: dir }, 'chdir') ?? '', new RegExp(`command.workspace \\(-w ${dir}\\)`))
  })

  it('is no longer named for a task that works there', () => {
    const workspace = { path: dir }
    assert.deepEqual(namedOnlyOnHost({ ...plain, args: ['app.js'], workspace }, '/'), [])
    assert.deepEqual(namedOnlyOnHost({ ...plain, args: [join(dir, 'script')], workspace: dir }, '/'), [])
    assert.deepEqual(namedOnlyOnHost({ ...plain, args: ['app.js'], cwd: '/etc', workspace }, dir), [])
  })

  it('a working directory that its user may not enter is named with what makes it his', () => {
    const inPlace = { cwd: dir, mounts: [{ source: dir, target: dir }] }
    assert.match(hint(inPlace, 'chdir', 'EACCES') ?? '', new RegExp(`\\(-w ${dir}\\) it is the task's`))
    const elsewhere = { cwd: '/there', mounts: [{ source: dir, target: '/there' }] }
    assert.equal(hint(elsewhere, 'chdir', 'EACCES'), 'as it was')
    assert.match(hint({ workspace: dir }, 'chdir', 'EACCES') ?? '', /--user/)
    assert.match(hint({ cwd: dir, root: 'host' }, 'chdir', 'EACCES') ?? '', /--user/)
  })

  it('what this program’s PATH has besides is listed, unless the task is shown it', () =>
    withVariable('PATH', `/usr/bin:${join(dir, 'bin')}:relative:/nowhere`, async () => {
      assert.deepEqual(pathOnlyOnHost(plain), [join(dir, 'bin')])
      assert.deepEqual(pathOnlyOnHost({ ...plain, ...mounted(dir) }), [])
    }))

  for (const [what, command, stage, errno] of [
    ['a program that is nowhere', { path: '/nowhere/tool' }, 'exec', 'ENOENT'],
    ['a directory that is nowhere', { cwd: '/nowhere' }, 'chdir', 'ENOENT'],
    ['a program of the system', { path: '/bin/sh' }, 'exec', 'ENOENT'],
    ['another failure', { path: '/root' }, 'exec', 'EACCES'],
    ['another stage', { path: '/root' }, 'mount', 'ENOENT'],
  ] as const)
    it(`is not claimed for ${what}`, () => {
      assert.equal(hint(command, stage, errno), 'as it was')
    })

  it('is not claimed for a task that is shown it, or has the root of the host', () => {
    const path = join(dir, 'bin/tool')
    assert.equal(hint({ path, ...mounted(dir) }), 'as it was')
    assert.equal(hint({ path, root: 'host' }), 'as it was')
    assert.equal(hint({ path, namespaces: { mount: false } }), 'as it was')
  })

  it('is named where a relative path is the program, with what makes it found there', () => {
    const error = new HoldfastError('START_FAILED', 'failed', { stage: 'exec', errno: 'ENOENT' })
    const { hint } = namingHostPaths(error, { ...plain, path: 'bin/tool' }, dir) as HoldfastError
    assert.match(hint ?? '', new RegExp(`^${dir}/bin/tool is .*command.workspace \\(-w ${dir}\\)`))
  })

  it('is named where it is the interpreter of a program that PATH has', () => {
    const bin = join(dir, 'shown')
    mkdirSync(bin, { recursive: true })
    writeFileSync(join(bin, 'wrapped'), `#!${join(dir, 'bin/tool')}\n`, { mode: 0o755 })
    const command = { path: 'wrapped', env: { PATH: bin }, ...mounted(bin) }
    assert.match(hint(command) ?? '', new RegExp(`--mount ${dir}/bin/tool\\)`))
  })

  it('is named where a program that is shown is a link to it, or its interpreter is: the Python of a venv', () => {
    const venv = join(dir, 'work/venv')
    mkdirSync(venv, { recursive: true })
    symlinkSync(join(dir, 'bin/tool'), join(venv, 'python'))
    writeFileSync(join(venv, 'pip'), `#!${join(venv, 'python')}\n`, { mode: 0o755 })
    const command = { workspace: join(dir, 'work') }
    for (const path of ['venv/python', 'venv/pip'])
      assert.match(hint({ path, ...command }) ?? '', new RegExp(`^${dir}/bin/tool is .*--mount ${dir}:ro\\)`))
    return withVariable('PATH', join(dir, 'bin'), async () =>
      assert.match(hint({ path: 'venv/python', ...command }) ?? '', /\(--toolchains\)/),
    )
  })

  it('is another program by the name of one that the task has, where this program’s PATH has it first', () =>
    withVariable('PATH', `${join(dir, 'bin')}:/bin`, async () => {
      writeFileSync(join(dir, 'bin/sh'), '', { mode: 0o755 })
      const PATH = '/bin'
      assert.deepEqual(shadowsOnHost({ ...plain, path: 'sh', env: { PATH } }), {
        host: join(dir, 'bin/sh'),
        task: '/bin/sh',
      })
      assert.equal(shadowsOnHost({ ...plain, path: 'sh', env: { PATH }, ...mounted(dir) }), null)
      assert.equal(shadowsOnHost({ ...plain, path: '/bin/sh', env: { PATH } }), null)
      assert.equal(shadowsOnHost({ ...plain, path: 'tool', env: { PATH } }), null)
      assert.equal(shadowsOnHost({ ...plain, path: 'sh', env: { PATH }, root: 'host' }), null)
    }))

  it('is named by its path where this program’s own PATH alone has it', () =>
    withVariable('PATH', join(dir, 'bin'), async () => {
      assert.match(
        hint({ path: 'tool' }) ?? '',
        new RegExp(`\\(--toolchains, or --mount ${dir}/bin, and .* path, ${dir}/bin/tool\\)`),
      )
    }))

  it('is found among the arguments, those without a dot or slash left out', () => {
    const args = [
      'app.js',
      join(dir, 'script'),
      '/nowhere.js',
      '/bin/sh',
      '.',
      'bin',
      '--x=1.5',
      '--f=./app.js',
    ]
    assert.deepEqual(namedOnlyOnHost({ ...plain, args }, dir), [
      { path: join(dir, 'app.js'), flags: `-w ${dir}` },
      { path: join(dir, 'script'), flags: `--mount ${join(dir, 'script')}` },
    ])
    assert.deepEqual(namedOnlyOnHost({ ...plain, args, ...mounted(dir) }, dir), [])
  })

  it('is found above this program’s own directory, and in the environment', () => {
    const within = {
      ...plain,
      args: ['../app.js'],
      env: { LD_LIBRARY_PATH: `/lib:${dir}/bin`, WORD: 'app.js' },
    }
    assert.deepEqual(namedOnlyOnHost(within, join(dir, 'bin')), [
      { path: join(dir, 'app.js'), flags: `-w ${dir} --cwd ${dir}/bin` },
      { path: join(dir, 'bin'), flags: `--mount ${dir}/bin` },
    ])
    const cwd = join(dir, 'bin')
    assert.deepEqual(namedOnlyOnHost({ ...plain, args: ['../app.js'], cwd }, '/'), [
      { path: join(dir, 'app.js'), flags: `--mount ${dir}/app.js` },
    ])
  })
})
