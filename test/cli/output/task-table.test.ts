import { strict as assert } from 'node:assert'
import { taskTable } from '../../../src/cli/output/task-table.ts'
import { colorsFor } from '../../../src/cli/output/terminal.ts'
import type { TaskFacts } from '../../../src/cli/task-facts.ts'

const now = Date.UTC(2026, 0, 1, 12)
const running: TaskFacts = {
  key: '0123456789abcd',
  name: 'web',
  id: 'holdfast:1:0123456789abcd:/state',
  state: 'running',
  pid: 4711,
  startedAt: new Date(now - 307_000),
  exitedAt: null,
  cause: null,
  exitCode: null,
  signal: null,
  labels: {},
  command: ['sh', '-c', "echo 'hi'"],
}
const ended: TaskFacts = {
  ...running,
  name: 'job',
  state: 'exited',
  pid: null,
  exitedAt: new Date(now - 7000),
  cause: 'oom',
  signal: 'SIGKILL',
}
const plain = { colors: colorsFor({ isTTY: false }), now }
const terminal = { colors: colorsFor({ isTTY: true }, { TERM: 'xterm' }), now }

describe('taskTable', () => {
  it('has a row for each task, under the names of its columns', () => {
    assert.deepEqual(rows(taskTable([running], { ...plain, all: false })), [
      ['KEY', 'NAME', 'STATE', 'PID', 'UPTIME', 'COMMAND'],
      ['0123456789abcd', 'web', 'running', '4711', '5m 7s', `sh -c 'echo '\\''hi'\\'''`],
    ])
  })

  it('tells how the ended ones ended', () => {
    const [head, , job] = rows(taskTable([running, ended], { ...plain, all: true }))
    assert.deepEqual(head, ['KEY', 'NAME', 'STATE', 'PID', 'UPTIME', 'ENDED', 'CAUSE', 'EXIT', 'COMMAND'])
    assert.deepEqual(job?.slice(1, 8), ['job', 'exited', '-', '5m', '7 s ago', 'oom', 'SIGKILL'])
  })

  it('shows hostile names and commands without obeying them', () => {
    const evil: TaskFacts = { ...running, name: 'a\u202eb', command: ['x\x1b[2J\ny'] }
    const table = taskTable([evil], { ...plain, all: false })
    assert.equal(table.split('\n').length, 3)
    assert.match(table, /a\\u\{202e\}b/)
    assert.match(table, /'x\\x1b\[2J\\x0ay'/)
  })

  it('has colours on a terminal only, and none under NO_COLOR', () => {
    const control = String.fromCharCode(27)
    assert.ok(taskTable([running], { ...terminal, all: false }).includes(`${control}[32mrunning`))
    const muted = colorsFor({ isTTY: true }, { TERM: 'xterm', NO_COLOR: '1' })
    assert.ok(!taskTable([running], { colors: muted, now, all: false }).includes(control))
    assert.ok(!taskTable([running], { ...plain, all: false }).includes(control))
  })

  it('cuts the command to the width of a terminal, and nothing elsewhere', () => {
    const long = { ...running, command: ['x'.repeat(500)] }
    const [, narrow = ''] = taskTable([long], { ...plain, all: false, width: 80 }).split('\n')
    assert.equal(narrow.length, 80)
    assert.ok(narrow.endsWith('…'))
    assert.ok(taskTable([long], { ...plain, all: false }).includes('x'.repeat(500)))
  })
})

function rows(table: string): string[][] {
  return table
    .trimEnd()
    .split('\n')
    .map(line => line.split(/ {2,}/))
}
