import { strict as assert } from 'node:assert'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ResultFile } from '../../../src/cli/files/result-file.ts'
import { AllocDir } from '../../../src/index.ts'
import { requires } from '../../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../../support/temporary.ts'

describe('the file of --result', () => {
  let dir: string
  beforeEach(() => {
    dir = temporaryDirectory('result')
  })
  afterEach(() => removeTemporary(dir))

  const documentOf = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

  it('is there, and empty, before there is a result; what was in it is gone', async () => {
    const path = join(dir, 'result.json')
    writeFileSync(path, 'of an earlier run')
    const file = new ResultFile(path)
    assert.equal(readFileSync(path, 'utf8'), '')
    assert.equal(await file.of(Promise.resolve(3), value => ({ value })), 3)
    assert.deepEqual(documentOf(path), { value: 3 })
  })

  it('has the error of what fails, which is passed on', async () => {
    const path = join(dir, 'result.json')
    const error = Object.assign(new Error('no'), { code: 'LOST', hint: 'why' })
    await assert.rejects(
      new ResultFile(path).of(Promise.reject(error), () => assert.fail('there is no result')),
      error,
    )
    assert.deepEqual(documentOf(path), { error: { code: 'LOST', message: 'no', hint: 'why' } })
  })

  it('has a long document whole', async () => {
    const path = join(dir, 'result.json')
    const value = 'x'.repeat(3_000_000)
    await new ResultFile(path).of(Promise.resolve(value), text => ({ text }))
    assert.deepEqual(documentOf(path), { text: value })
  })

  it('that cannot be opened is refused by the path that was given, before anything is done', () => {
    for (const [path, reason] of [
      [join(dir, 'no/such'), 'ENOENT: no such file or directory'],
      [dir, 'EISDIR: illegal operation on a directory'],
      ['/etc/passwd/x', 'ENOTDIR: not a directory'],
    ] as const)
      assert.throws(() => new ResultFile(path), {
        ...{ code: 'INVALID_ARGUMENT', path, errno: reason.split(':')[0] },
        message: `--result: ${JSON.stringify(path)} cannot be written: ${reason}`,
      })
  })

  it('on a disk that is full is told with its path, of a result and of an error', async function () {
    requires(this, 'linux')
    const full = {
      code: 'INVALID_ARGUMENT',
      errno: 'ENOSPC',
      message: /^--result: "\/dev\/full" cannot be written: /,
    }
    for (const work of [Promise.resolve(1), Promise.reject(new Error('no'))])
      await assert.rejects(
        new ResultFile('/dev/full').of(work, value => value),
        full,
      )
  })

  it('is not written through a link that a task could have planted; control: one of our own is followed', async () => {
    const alloc = new AllocDir(join(dir, 'alloc'))
    await alloc.build(['web'])
    const [precious, planted, own] = [
      join(dir, 'precious'),
      join(alloc.sharedDir, 'result'),
      join(dir, 'own'),
    ]
    writeFileSync(precious, 'kept')
    for (const link of [planted, own]) symlinkSync(precious, link)
    assert.throws(() => new ResultFile(planted), /cannot be written/)
    assert.equal(readFileSync(precious, 'utf8'), 'kept')
    await new ResultFile(own).of(Promise.resolve(1), value => value)
    assert.deepEqual(documentOf(precious), 1)
  })
})
