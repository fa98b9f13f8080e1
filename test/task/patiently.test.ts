import assert from 'node:assert/strict'
import { HoldfastError } from '../../src/errors.ts'
import { patiently } from '../../src/task/patiently.ts'

describe('reading records patiently', () => {
  const failing = (times: number, error: Error) => {
    let asked = 0
    return () => {
      if (asked++ < times) throw error
      return asked
    }
  }

  it('asks again while the system cannot read', async () => {
    assert.equal(await patiently(failing(2, new HoldfastError('INVALID_STATE', 'EMFILE'))), 3)
  })

  it('takes every other answer for one', async () => {
    assert.equal(await patiently(() => null), null)
    await assert.rejects(patiently(failing(1, new HoldfastError('PERMISSION', 'EACCES'))), {
      code: 'PERMISSION',
    })
    await assert.rejects(patiently(failing(1, new TypeError('a mistake'))), TypeError)
  })
})
