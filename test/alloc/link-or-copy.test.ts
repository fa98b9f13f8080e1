import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { copyFile, linkOrCopy } from '../../src/alloc/link-or-copy.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('a file that is embedded', () => {
  let dir: string
  let from: Buffer
  let at: Buffer
  const path = (name: string) => join(dir, name)
  beforeEach(() => {
    dir = temporaryDirectory('link')
    ;[from, at] = ['from', 'at'].map(name => Buffer.from(path(name))) as [Buffer, Buffer]
    writeFileSync(from, 'content', { mode: 0o640 })
  })
  afterEach(() => removeTemporary(dir))

  it('is the same file where links are made', async () => {
    await linkOrCopy(from, at)
    assert.equal(statSync(at).ino, statSync(from).ino)
  })

  it('is a file of its own where it is copied, with the mode and without set-user-ID', async () => {
    chmodSync(from, 0o4751)
    await copyFile(from, at)
    assert.notEqual(statSync(at).ino, statSync(from).ino)
    assert.equal((statSync(at).mode & 0o7777).toString(8), '751')
    assert.equal(readFileSync(at, 'utf8'), 'content')
  })

  it('is copied whole, however large', async () => {
    const large = Buffer.alloc(3 * 2 ** 18 + 17, 'x')
    writeFileSync(from, large)
    await copyFile(from, at)
    assert.ok(readFileSync(at).equals(large))
  })

  it('is written over nothing: not a file, and not where a link leads', async () => {
    symlinkSync(path('elsewhere'), at)
    await assert.rejects(copyFile(from, at), { code: 'EEXIST' })
    assert.equal(lstatSync(path('elsewhere'), { throwIfNoEntry: false }), undefined)
    writeFileSync(path('third'), '')
    await assert.rejects(linkOrCopy(from, Buffer.from(path('third'))), { code: 'EEXIST' })
  })

  it('is not read through a link that has taken its place', async () => {
    symlinkSync(path('from'), path('link'))
    await assert.rejects(copyFile(Buffer.from(path('link')), at), { code: 'ELOOP' })
  })

  it('is left out when it has become a FIFO meanwhile: nobody waits for its writer', async function () {
    requires(this, 'linux')
    execFileSync('mkfifo', [path('fifo')])
    await copyFile(Buffer.from(path('fifo')), at)
    assert.equal(statSync(at, { throwIfNoEntry: false }), undefined)
  })
})
