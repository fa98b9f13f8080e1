import { strict as assert } from 'node:assert'
import { HoldfastError } from '../../../src/errors.ts'
import { enforced, weakened } from '../../../src/platform/rows.ts'
import { changedDisk, withDisk, withRow } from '../../../src/task/running/disk-limit.ts'
import { fakeTask } from '../../support/fake-task.ts'

const disk = enforced({ kind: 'limit', name: 'diskBytes', requested: '1048576' })
const pids = enforced({ kind: 'limit', name: 'pids', requested: '20' })

describe('another diskBytes for a running task', () => {
  it('changes nothing where none was asked for, or nothing of its own is there to be bounded', async () => {
    const [isolated, session] = [fakeTask({ platform: 'linux' }), fakeTask({ platform: 'linux' })]
    Object.assign(session.file.spec.request, { inside: {} })
    assert.equal(await changedDisk(isolated, [disk], { pids: 5 }), null)
    assert.equal(await changedDisk(session, [disk], { diskBytes: 2 ** 21 }), null)
    assert.equal(await changedDisk(fakeTask(), [disk], { diskBytes: 2 ** 21 }), null)
  })

  // By its code: what is imported when it is needed can be another instance of the class here.
  it('is refused where nothing bounds what the task stores', () =>
    assert.rejects(changedDisk(fakeTask({ platform: 'linux' }), [disk], { diskBytes: 2 ** 21 }), {
      code: 'UNSUPPORTED',
      stage: 'disk',
      hint: /a row `diskBytes` that is enforced/,
    }))

  it('takes the place of its row alone', () => {
    const less = weakened(disk, 'for a reason', null)
    assert.deepEqual(withRow([pids, disk], less), [pids, less])
  })

  it('is named by the refusal of the other limits, which is otherwise as it was', () => {
    const error = new HoldfastError('LIMIT_FAILED', 'pids: no', {
      stage: 'limit',
      errno: 'EBUSY',
      path: '/sys/fs/cgroup/k',
      hint: 'wait',
    })
    const thrown = (work: () => never): unknown => {
      try {
        return work()
      } catch (reason) {
        return reason
      }
    }
    const told = thrown(() => withDisk(disk)(error)) as HoldfastError
    assert.equal(told.message, 'pids: no; diskBytes is 1048576 already')
    const { code, stage, errno, path, hint, cause } = told
    assert.deepEqual(
      [code, stage, errno, path, hint, cause],
      ['LIMIT_FAILED', 'limit', 'EBUSY', '/sys/fs/cgroup/k', 'wait', error],
    )
    assert.equal(
      thrown(() => withDisk(null)(error)),
      error,
    )
    const other = new TypeError('a fault of ours')
    assert.equal(
      thrown(() => withDisk(disk)(other)),
      other,
    )
  })
})
