import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lookPath } from '../../src/command/lookup.ts'

describe('lookPath', () => {
  let directory: string
  let one: string
  let two: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-lookup-'))
    one = join(directory, 'one')
    two = join(directory, 'two')
    mkdirSync(join(one, 'folder'), { recursive: true })
    mkdirSync(two)
    writeFileSync(join(one, 'plain'), '', { mode: 0o644 })
    for (const name of ['plain', 'tool', 'folder']) writeFileSync(join(two, name), '')
    for (const name of ['plain', 'tool', 'folder']) chmodSync(join(two, name), 0o755)
    writeFileSync(join(one, 'only-plain'), '', { mode: 0o644 })
    mkdirSync(join(two, 'only-folder'))
    symlinkSync('tool', join(two, 'linked'))
    symlinkSync('nowhere', join(two, 'dangling'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('takes a name with a slash as it is', () => {
    for (const name of ['/no/such/file', './x', 'a/b', '/']) assert.equal(lookPath(name, undefined), name)
  })

  it('finds the first executable file, past files and directories that are none', () => {
    const path = `${one}:/no/such/directory:${two}`
    for (const name of ['tool', 'plain', 'folder', 'linked'])
      assert.equal(lookPath(name, path), join(two, name))
  })

  it('prefers the earlier directory', () => {
    chmodSync(join(one, 'plain'), 0o755)
    assert.equal(lookPath('plain', `${one}:${two}`), join(one, 'plain'))
  })

  it('takes an empty or relative directory as seen from cwd', () => {
    assert.equal(lookPath('tool', '', two), join(two, 'tool'))
    assert.equal(lookPath('tool', ':/bin', two), join(two, 'tool'))
    assert.equal(lookPath('tool', 'two', directory), join(two, 'tool'))
  })

  it('says ENOENT, with the PATH, when there is none', () => {
    for (const name of ['absent', 'dangling']) {
      assert.throws(() => lookPath(name, `${one}:${two}`), {
        code: 'START_FAILED',
        stage: 'exec',
        errno: 'ENOENT',
        path: name,
        hint: new RegExp(`PATH is ${one}:${two}`),
      })
    }
    assert.throws(() => lookPath('', two), { code: 'START_FAILED', errno: 'ENOENT' })
    assert.throws(() => lookPath('tool', undefined, directory), { errno: 'ENOENT', hint: /PATH is empty/ })
  })

  it('says EACCES, with the file, when there are only ones that cannot be run', () => {
    for (const [name, at] of [
      ['only-plain', one],
      ['only-folder', two],
    ] as const) {
      assert.throws(() => lookPath(name, `${one}:${two}`), {
        code: 'START_FAILED',
        stage: 'exec',
        errno: 'EACCES',
        path: join(at, name),
        hint: /execute permission/,
      })
    }
  })
})
