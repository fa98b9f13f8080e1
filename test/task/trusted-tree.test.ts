import { strict as assert } from 'node:assert'
import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { assertTrustedDirectory, assertTrustedPath } from '../../src/task/trusted-tree.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

const stranger = 61_234

describe('a directory whose records are believed', () => {
  let dir = ''
  before(function () {
    requires(this, 'linux')
  })
  beforeEach(() => {
    dir = temporaryDirectory('tree')
    mkdirSync(join(dir, 'above/state'), { recursive: true })
    chmodSync(join(dir, 'above'), 0o755)
    chmodSync(join(dir, 'above/state'), 0o755)
  })
  afterEach(() => removeTemporary(dir))

  const above = () => join(dir, 'above')
  const state = () => join(dir, 'above/state')
  const refuses = (path: string, message: RegExp, at: string) =>
    assert.throws(() => assertTrustedPath(path), { code: 'PERMISSION', stage: 'state', path: at, message })

  it('is ours, as is all above it, and nobody else may write there', () => {
    assert.doesNotThrow(() => assertTrustedPath(state()))
    assert.doesNotThrow(() => assertTrustedDirectory(state()))
  })

  it('may not be there yet', () => {
    assert.doesNotThrow(() => assertTrustedPath(join(state(), 'absent/deep')))
    assert.doesNotThrow(() => assertTrustedDirectory(join(state(), 'absent')))
  })

  it('is not one that everybody may write in, sticky or not, and the error says what mends it', () => {
    for (const mode of [0o777, 0o1777]) {
      chmodSync(state(), mode)
      refuses(state(), new RegExp(`its mode is ${mode.toString(8).padStart(4, '0')}: everybody`), state())
      assert.throws(() => assertTrustedDirectory(state()), { hint: `chmod go-w '${state()}'` })
    }
  })

  it('is not one beneath such a one, unless that is sticky, as /tmp is', () => {
    chmodSync(above(), 0o777)
    refuses(state(), /its mode is 0777: everybody may write/, above())
    chmodSync(above(), 0o1777)
    assert.doesNotThrow(() => assertTrustedPath(state()))
  })

  it('that is not there yet is refused for what everybody may write in above it', () => {
    chmodSync(above(), 0o777)
    refuses(join(above(), 'absent'), /everybody may write/, above())
  })

  it('is no file, and no link where it has to be a directory itself', () => {
    writeFileSync(join(dir, 'file'), '')
    symlinkSync(state(), join(dir, 'link'))
    for (const name of ['file', 'link'])
      assert.throws(() => assertTrustedDirectory(join(dir, name)), {
        code: 'PERMISSION',
        message: /it is not a directory/,
      })
  })

  it('may be behind links of ours, relative, absolute and up again; what they lead through counts', () => {
    symlinkSync('above/state', join(dir, 'relative'))
    symlinkSync(above(), join(dir, 'absolute'))
    symlinkSync('absolute/../relative', join(dir, 'both'))
    const ways = ['relative', 'absolute/state', 'both', 'above/../absolute/./state']
    for (const way of ways) assert.doesNotThrow(() => assertTrustedPath(`${dir}/${way}`), way)
    chmodSync(above(), 0o777)
    for (const way of ways) refuses(`${dir}/${way}`, /everybody may write/, above())
  })

  it('is left to whoever opens it where links lead round in a circle', () => {
    symlinkSync('two', join(dir, 'one'))
    symlinkSync('one', join(dir, 'two'))
    assert.doesNotThrow(() => assertTrustedPath(join(dir, 'one')))
  })

  describe('of other users', () => {
    before(function () {
      requires(this, 'root')
    })

    it('is none, nor is one beneath theirs', () => {
      chownSync(state(), stranger, stranger)
      refuses(state(), /it belongs to user 61234/, state())
      assert.throws(() => assertTrustedDirectory(state()), { code: 'PERMISSION' })
      chownSync(state(), 0, 0)
      chownSync(above(), stranger, stranger)
      refuses(state(), /it belongs to user 61234/, above())
    })

    it('is none beneath theirs though that be sticky', () => {
      chmodSync(above(), 0o1777)
      chownSync(above(), stranger, 0)
      refuses(state(), /it belongs to user 61234/, above())
    })

    it('is none that is reached by a link of theirs', () => {
      symlinkSync('above/state', join(dir, 'link'))
      assert.doesNotThrow(() => assertTrustedPath(join(dir, 'link')))
      lchownSync(join(dir, 'link'), stranger, stranger)
      refuses(join(dir, 'link'), /it belongs to user 61234/, join(dir, 'link'))
    })

    it('is none that a group of others may write in; root’s own group may', () => {
      chmodSync(state(), 0o775)
      assert.doesNotThrow(() => assertTrustedPath(state()))
      chownSync(state(), 0, stranger)
      refuses(state(), /its mode is 0775: group 61234 may write/, state())
    })
  })
})
