import assert from 'node:assert/strict'
import { descendants, isAlive, isEnding, processTable, readProcess } from '../../src/spawn/process-table.ts'
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

  it('is empty without /proc', () => {
    assert.deepEqual(processTable(host.path('nowhere')), [])
    assert.equal(readProcess(1, host.path('nowhere')), null)
  })
})
