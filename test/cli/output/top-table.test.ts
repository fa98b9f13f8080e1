import { strict as assert } from 'node:assert'
import { sparkline } from '../../../src/cli/output/sparkline.ts'
import { StateLine } from '../../../src/cli/output/state-line.ts'
import { TopTable } from '../../../src/cli/output/top-table.ts'
import { colorsFor } from '../../../src/cli/output/terminal.ts'
import { widthOf } from '../../../src/cli/output/width.ts'
import type { TaskUsage } from '../../../src/cli/output/usage-table.ts'
import { firstValueFrom } from 'rxjs'
import { withWorkbench } from '../../support/workbench.ts'

const plain = colorsFor({ isTTY: false })

function usage(name: string, cpuPercent: number | null, memoryBytes: number | null): TaskUsage {
  const unknown = { cpuMs: null, memoryPeakBytes: null, memoryLimitBytes: null, pids: null, pressure: null }
  const rest = { ioReadBytes: null, ioWriteBytes: null, throttledMs: null }
  return {
    task: { key: `key-${name.replace(/\W/g, '')}`, name },
    at: new Date(),
    cpuPercent,
    memoryBytes,
    ...unknown,
    ...rest,
  }
}

describe('the table of top', () => {
  const names = (lines: readonly string[]): string[] =>
    lines.flatMap(line => /^key-(\w+)/.exec(line)?.[1] ?? [])

  it('sorts by what its keys say, the unknown last', () => {
    const table = new TopTable(plain)
    table.add([usage('a', 1, 3000), usage('b', 99, null), usage('c', null, 9000)])
    const size = { columns: 120, rows: 10 }
    assert.deepEqual(names(table.lines(size)), ['b', 'a', 'c'])
    assert.equal(table.press('m'), true)
    assert.deepEqual(names(table.lines(size)), ['c', 'a', 'b'])
    table.press('n')
    assert.deepEqual(names(table.lines(size)), ['a', 'b', 'c'])
    assert.equal(table.press('x'), false)
  })

  it('fills the screen and no more, and pages through 500 tasks', () => {
    const table = new TopTable(plain)
    table.press('n')
    table.add(Array.from({ length: 500 }, (_, i) => usage(`t${String(i).padStart(3, '0')}`, i, i)))
    const size = { columns: 40, rows: 13 }
    const lines = table.lines(size)
    assert.equal(lines.length, 13)
    assert.ok(lines.every(line => line.length <= 40))
    assert.equal(names(lines).length, 10)
    table.press('\x1b[6~')
    assert.equal(names(table.lines(size))[0], 't010')
    for (let press = 0; press < 100; press++) table.press('\x1b[6~')
    assert.deepEqual(names(table.lines(size)).at(-1), 't499')
    table.add([])
    assert.match(table.lines(size)[0] ?? '', /no task is running/)
  })

  it('draws no bar for time in which nothing was measured', () => {
    const table = new TopTable(plain)
    for (const at of [0, 1000, 2900, 12_900]) table.add([usage('a', 50, 1)], at)
    const [line = ''] = table.lines({ columns: 200, rows: 10 }).filter(text => text.includes('key-a'))
    assert.match(line, /[▁-█]{3} {9}[▁-█] /)
  })

  it('cannot be written over by a name', () => {
    const table = new TopTable(plain)
    table.add([usage('\x1b[2Jevil', 1, 1)])
    assert.ok(!table.lines({ columns: 120, rows: 10 }).join('').includes('\x1b'))
  })

  it('has its columns below each other, and no line wider than the terminal, whatever a name is written in', () => {
    const table = new TopTable(plain)
    table.add([usage('名前'.repeat(20), 1, 1), usage('web', 2, 1)])
    const [wide = '', narrow = ''] = table
      .lines({ columns: 200, rows: 10 })
      .filter(line => /^key-/.test(line))
      .sort((one, other) => other.length - one.length)
      .reverse()
    assert.equal(widthOf(wide), widthOf(narrow))
    for (const line of table.lines({ columns: 37, rows: 10 })) assert.ok(widthOf(line) <= 37, line)
  })

  it('draws the past, with gaps for what is not known', () => {
    assert.equal(sparkline([0, 50, 100, null, 12.5], 100), '▁▅█ ▂')
    assert.equal(sparkline([100, 400], 100), '▃█')
  })
})

describe('the state line', () => {
  it('is cleared before the task is heard, drawn again after a whole line only, and gone at the end', () =>
    withWorkbench('basic', async bench => {
      const task = bench.command('sleep', '60')
      await task.start()
      let written = ''
      const line = new StateLine({ columns: 30, write: (text: string) => (written += text) !== '' }, plain)
      const forget = line.follow(task)
      await firstValueFrom(task.usage$(100))
      assert.match(written, /^\r\x1b\[Ksleep running for /)
      written = ''
      line.around(Buffer.from('text\n'), () => (written += 'TEXT'))
      assert.match(written, /^\r\x1b\[KTEXT\r\x1b\[Ksleep running/)
      written = ''
      line.around(Buffer.from('prompt> '), () => (written += 'PROMPT'))
      assert.equal(written, '\r\x1b[KPROMPT')
      line.around(Buffer.from('\n'), () => {})
      forget()
      assert.ok(written.endsWith('\r\x1b[K'))
    }))
})
