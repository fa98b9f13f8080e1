import { strict as assert } from 'node:assert'
import { storageError } from '../../src/task/storage-error.ts'

describe('what the state directory refuses', () => {
  const error = (code: string) =>
    storageError(Object.assign(new Error(`${code}: x`), { code }), 'it cannot be made', '/s')

  it('has the path, the stage and the errno', () => {
    const { code, message, path, stage, errno, cause } = error('ENOSPC')
    assert.deepEqual([code, path, stage, errno], ['START_FAILED', '/s', 'state', 'ENOSPC'])
    assert.match(message, /^it cannot be made: /)
    assert.ok(cause instanceof Error)
  })

  it('says of a right that is missing where else the state can be, and not of a full disk', () => {
    for (const denied of ['EACCES', 'EPERM', 'EROFS']) {
      assert.equal(error(denied).code, 'PERMISSION')
      assert.match(error(denied).hint ?? '', /HOLDFAST_STATE_DIR|umask/)
    }
    assert.doesNotMatch(error('ENOSPC').hint ?? '', /HOLDFAST_STATE_DIR/)
  })

  it('says what lies in the way', () =>
    assert.match(error('EEXIST').hint ?? '', /file lies where the directory/))

  it('names a umask that shuts out its own user', function () {
    if (process.platform !== 'linux') return this.skip()
    const before = process.umask(0o777)
    try {
      assert.match(error('EACCES').hint ?? '', /umask.*022/)
    } finally {
      process.umask(before)
    }
  })
})
