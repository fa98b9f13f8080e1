import { strict as assert } from 'node:assert'
import { descendantsOf, parseProcesses } from '../../src/spawn/portable/windows-processes.ts'

describe('the processes of Windows, as its programs tell them', () => {
  it('are read from wmic and from PowerShell, in UTF-16 and with lines that are none of a process', () => {
    const table = [
      { parent: 0, pid: 4 },
      { parent: 4, pid: 300 },
    ]
    assert.deepEqual(
      parseProcesses(
        'ParentProcessId  ProcessId  \r\r\n0                4          \r\r\n4                300        \r\r\n\r\r\n',
      ),
      table,
    )
    const utf16 = Buffer.from('\ufeffParentProcessId  ProcessId\r\n0  4\r\n4  300\r\n', 'utf16le').toString(
      'latin1',
    )
    assert.deepEqual(parseProcesses(utf16), table)
    assert.deepEqual(parseProcesses('0 4\n4 300\n'), table)
    for (const none of ['', 'Access is denied.', '1 2 3\n', 'x 1\n', '1\n'])
      assert.deepEqual(parseProcesses(none), [], none)
  })

  it('belong to a tree by their parents, also by those who have ended, and never the one who asks', () => {
    const table = [
      { pid: 10, parent: 1 },
      { pid: 11, parent: 10 },
      { pid: 12, parent: 11 },
      { pid: 20, parent: 1 },
      // Its parent, 99, has ended.
      { pid: 30, parent: 99 },
      { pid: process.pid, parent: 10 },
    ]
    assert.deepEqual(descendantsOf(new Set([10]), table).sort(), [10, 11, 12])
    assert.deepEqual(descendantsOf(new Set([99]), table), [30])
    assert.deepEqual(descendantsOf(new Set([5]), table), [])
  })

  it('are found whatever their order, and the idle process, whose parent is itself, is nobody’s child', () => {
    const chain = Array.from({ length: 200 }, (_, index) => ({
      pid: 1000 + index,
      parent: 999 + index,
    })).reverse()
    assert.equal(descendantsOf(new Set([1000]), chain).length, 200)
    assert.deepEqual(descendantsOf(new Set([0]), [{ pid: 0, parent: 0 }]), [0])
    assert.deepEqual(descendantsOf(new Set([7]), [{ pid: 0, parent: 7 }]), [])
  })
})
