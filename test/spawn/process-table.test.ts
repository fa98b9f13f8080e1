import assert from 'node:assert/strict'
import {
  descendants,
  isAlive,
  isEnding,
  processTable,
  readProcess,
  threadThatGoesOn,
} from '../../src/spawn/process-table.ts'
import { FakeHost } from '../platform/fake-host.ts'

/** Fields 3 to 22 of /proc/PID/stat. */
function stat(pid: number, name: string, state: string, parent: number, startTime: number, flags = 0) {
  const others = Array(12).fill(0).join(' ')
  return `${pid} (${name}) ${state} ${parent} ${pid} ${pid} 0 -1 ${flags} ${others} ${startTime} 0 0\n`
}

describe('the process table', () => {
  let host: FakeHost
  beforeEach(() => {
    host = new FakeHost()
  })
  afterEach(() => host.remove())

  const add = (
    pid: number,
    parent: number,
    { name = 'x', state = 'S', startTime = pid * 10, flags = 0 } = {},
  ) => host.file(`proc/${pid}/stat`, stat(pid, name, state, parent, startTime, flags))

  it('reads entries whose names hold parentheses and spaces', () => {
    add(7, 1, { name: 'a) R 99 (b' })
    assert.deepEqual(readProcess(7, host.proc), {
      pid: 7,
      thread: 7,
      state: 'S',
      parent: 1,
      group: 7,
      session: 7,
      startTime: 70,
      flags: 0,
    })
  })

  it('finds descendants at any depth, not the roots, and survives a circle', () => {
    add(2, 1)
    add(3, 2)
    add(4, 3)
    add(5, 1)
    add(8, 9)
    add(9, 8)
    assert.deepEqual(descendants([2], host.proc), [3, 4])
    assert.deepEqual(descendants([8], host.proc), [9])
  })

  it('takes a pid with another start time for a stranger, and a zombie for dead', () => {
    add(2, 1)
    add(3, 1, { state: 'Z' })
    assert.equal(isAlive({ pid: 2, startTime: 20 }, host.proc), true)
    assert.equal(isAlive({ pid: 2, startTime: 19 }, host.proc), false)
    assert.equal(isAlive({ pid: 3, startTime: 30 }, host.proc), false)
    assert.equal(isAlive({ pid: 4, startTime: 40 }, host.proc), false)
  })

  it('tells one that has begun to exit, and may have let go of what it had', () => {
    add(2, 1, { flags: 0x400000 })
    add(3, 1, { flags: 0x400004 })
    add(4, 1, { state: 'Z' })
    const isSo = [2, 3, 4, 5].map(pid => isEnding({ pid, startTime: pid * 10 }, host.proc))
    assert.deepEqual(isSo, [false, true, true, false])
  })

  it('takes a process for alive while one of its threads goes on, and looks at that one', () => {
    const thread = (pid: number, number: number, state: string, flags = 0) =>
      host.file(`proc/${pid}/task/${number}/stat`, stat(number, 'x', state, 1, number * 10, flags))
    for (const pid of [10, 20, 30]) {
      add(pid, 1, { state: 'Z', flags: 0x4 })
      thread(pid, pid, 'Z', 0x4)
    }
    thread(10, 11, 'Z', 0x4)
    thread(10, 12, 'R', 0x4)
    thread(10, 13, 'S')
    thread(20, 21, 'D', 0x4)
    thread(30, 31, 'X', 0x4)
    const identity = (pid: number) => ({ pid, startTime: pid * 10 })
    assert.deepEqual(
      [10, 20, 30].map(pid => isAlive(identity(pid), host.proc)),
      [true, true, false],
    )
    assert.deepEqual(
      [10, 20, 30].map(pid => isEnding(identity(pid), host.proc)),
      [false, true, true],
    )
    assert.deepEqual(
      [10, 20, 30].map(pid => threadThatGoesOn(identity(pid), host.proc)),
      [13, null, null],
    )
    assert.equal(threadThatGoesOn({ pid: 10, startTime: 1 }, host.proc), null)
    assert.deepEqual(readProcess(10, host.proc)?.startTime, 100)
  })

  it('is empty without /proc', () => {
    assert.deepEqual(processTable(host.path('nowhere')), [])
    assert.equal(readProcess(1, host.path('nowhere')), null)
  })
})
