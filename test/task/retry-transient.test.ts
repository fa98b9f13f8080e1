import assert from 'node:assert/strict'
import { HoldfastError } from '../../src/errors.ts'
import { retryTransient } from '../../src/task/retry-transient.ts'

describe('reading records, tried again while they cannot be read', () => {
  const failing = (times: number, error: Error) => {
    let asked = 0
    return () => {
      if (asked++ < times) throw error
      return asked
    }
  }

  it('asks again while the system cannot read', async () => {
    assert.equal(await retryTransient(failing(2, new HoldfastError('INVALID_STATE', 'EMFILE'))), 3)
  })

  it('takes every other answer for one', async () => {
    assert.equal(await retryTransient(() => null), null)
    await assert.rejects(retryTransient(failing(1, new HoldfastError('PERMISSION', 'EACCES'))), {
      code: 'PERMISSION',
    })
    await assert.rejects(retryTransient(failing(1, new TypeError('a mistake'))), TypeError)
  })
})
