import { strict as assert } from 'node:assert'
import { launchers } from '../../src/task/launchers.ts'

describe('the processes that a launch is recorded with', () => {
  it('are this one and its spawner, looked up once', () => {
    const alone = launchers(null)
    assert.deepEqual(
      alone.map(({ pid }) => pid),
      [process.pid],
    )
    assert.equal(launchers(null), alone)
    assert.deepEqual(
      launchers(process.ppid).map(({ pid }) => pid),
      [process.pid, process.ppid],
    )
    assert.notEqual(alone[0]?.startTime, 0)
  })

  it('are those of another spawner when it has changed, and leave out one that is gone', () => {
    launchers(process.ppid)
    assert.deepEqual(
      launchers(0x3fffff).map(({ pid }) => pid),
      [process.pid],
    )
  })
})
