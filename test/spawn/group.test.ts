import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { untilGroupGone } from '../../src/spawn/portable/group.ts'
import { isZombie, processTable } from '../../src/spawn/process-table.ts'
import { requires } from '../support/requires.ts'

describe('a process group that is to be gone', () => {
  /** The leader ends, and leaves a child in its group. */
  async function leftBehind(): Promise<number> {
    const leader = spawn('/bin/sh', ['-c', 'sleep 1000 & exit 0'], { detached: true, stdio: 'ignore' })
    await once(leader, 'exit')
    return leader.pid as number
  }

  it('is waited for until the last one is gone', async () => {
    const group = await leftBehind()
    const killed = sleep(100).then(() => process.kill(-group, 'SIGKILL'))
    assert.deepEqual(await untilGroupGone(group, 60_000), [])
    await killed
  })

  it('names who is left when the time is over, though their leader has ended', async () => {
    const group = await leftBehind()
    try {
      const survivors = await untilGroupGone(group, 50)
      assert.equal(survivors.length, 1)
      if (process.platform === 'linux') assert.notEqual(survivors[0], group)
    } finally {
      process.kill(-group, 'SIGKILL')
    }
  })

  it('is gone when only a zombie is left, whose parent takes no notice', async function () {
    requires(this, 'linux')
    const parent = spawn('/bin/sh', ['-c', 'setsid true & exec sleep 1000'], { stdio: 'ignore' })
    try {
      const zombie = await untilZombieOf(parent.pid as number)
      assert.equal(process.kill(-zombie, 0), true, 'the group still exists')
      assert.deepEqual(await untilGroupGone(zombie, 60_000), [])
    } finally {
      parent.kill('SIGKILL')
    }
  })
})

async function untilZombieOf(parent: number): Promise<number> {
  for (;;) {
    const zombie = processTable().find(entry => entry.parent === parent && isZombie(entry))
    if (zombie) return zombie.pid
    await sleep(5)
  }
}
