import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import { historyTable } from '../../../src/cli/output/history-table.ts'
import { LiveScreen } from '../../../src/cli/output/live-screen.ts'
import { jsonLine } from '../../../src/cli/output/escape.ts'
import { colorsFor } from '../../../src/cli/output/terminal.ts'
import { TimedLines } from '../../../src/cli/output/timed-lines.ts'
import { usageTable } from '../../../src/cli/output/usage-table.ts'
import type { HistoryEntry } from '../../../src/index.ts'
import { EventEmitter } from 'node:events'

const plain = { colors: colorsFor({ isTTY: false }) }
const noon = Date.UTC(2026, 0, 31, 12)
const at = new Date(noon)

describe('lines with their times', () => {
  const told = (...pieces: readonly (readonly ['stdout' | 'stderr', string])[]): string[] => {
    const lines = new TimedLines()
    const all = pieces.flatMap(([stream, text], index) =>
      lines.push({ stream, at: new Date(noon + index), bytes: Buffer.from(text) }),
    )
    return [...all, ...lines.rest()].map(({ stream, text }) => `${stream} ${text.toString()}`)
  }
  const time = (index: number): string => new Date(noon + index).toISOString()

  it('are told whole, each with the time at which it was begun', () => {
    assert.deepEqual(told(['stdout', 'a\nb'], ['stdout', 'c'], ['stdout', 'd\n']), [
      `stdout ${time(0)} a\n`,
      `stdout ${time(0)} bcd\n`,
    ])
  })

  it('of two streams are told in the order in which they end, and none is mixed with the other', () => {
    assert.deepEqual(told(['stdout', 'one '], ['stderr', 'two\n'], ['stdout', 'three\n']), [
      `stderr ${time(1)} two\n`,
      `stdout ${time(0)} one three\n`,
    ])
  })

  it('without an end are ended; empty ones are lines, too; nothing is none', () => {
    assert.deepEqual(
      told(['stdout', '\n\nx']),
      [0, 1, 2].map(i => `stdout ${time(0)} ${i === 2 ? 'x' : ''}\n`),
    )
    assert.deepEqual(told(['stdout', '']), [])
    assert.deepEqual(told(), [])
  })

  it('that are endless are told in pieces, and no byte is lost or told twice', () => {
    const lines = new TimedLines()
    const pieces = Array.from({ length: 5 }, () => Buffer.alloc(40_000, 'x'))
    const shown = pieces.flatMap(bytes => lines.push({ stream: 'stdout', at, bytes }))
    assert.ok(shown.length >= 2)
    const text = [...shown, ...lines.rest()].map(line => line.text.toString().replace(/^\S+ /, '').trimEnd())
    assert.equal(text.join(''), 'x'.repeat(200_000))
  })

  it('however they are cut, have every byte, in order', () => {
    const cuts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 9 }), { maxLength: 9 })
    fc.assert(
      fc.property(cuts, pieces => {
        const lines = new TimedLines()
        const shown = pieces.flatMap(bytes => lines.push({ stream: 'stdout', at, bytes }))
        const bytes = Buffer.concat([...shown, ...lines.rest()].map(({ text }) => text.subarray(25)))
        const whole = Buffer.concat(pieces)
        assert.deepEqual(
          bytes,
          whole.length === 0 || whole.at(-1) === 10 ? whole : Buffer.concat([whole, Buffer.from('\n')]),
        )
      }),
    )
  })
})

describe('the table of a journal', () => {
  const entry = (otherwise: Partial<HistoryEntry>): HistoryEntry => ({
    ...{ sequence: 1, at, from: 'running', to: 'exited', event: 'EXITED' },
    ...otherwise,
  })
  const details = (otherwise: Partial<HistoryEntry>): string =>
    historyTable([entry(otherwise)], plain)
      .split('\n')[1]
      ?.split(/ {2,}/)
      .slice(4)
      .join(' ') ?? ''

  it('has the time since the line before, never less than none', () => {
    const entries = [0, 1500, 1400].map(ms => entry({ at: new Date(noon + ms), sequence: ms }))
    const after = historyTable(entries, plain).trimEnd().split('\n').slice(1)
    assert.deepEqual(
      after.map(line => /Z +(\+\S+ \S+)?/.exec(line)?.[1]),
      [undefined, '+1.5 s', '+0 ms'],
    )
  })

  it('tells what changes no state by the state alone, and without a number', () => {
    const [, line = ''] = historyTable(
      [entry({ sequence: null, to: 'running', event: 'SIGNAL' })],
      plain,
    ).split('\n')
    assert.match(line, /^- {3}2026-01-31T12:00:00\.000Z +running +SIGNAL$/)
  })

  for (const [otherwise, text] of [
    [{ cause: 'exited', exitCode: 0 }, 'exited, exit code 0'],
    [{ cause: 'oom', exitCode: null, signal: 'SIGKILL', oomKilled: true }, 'oom, SIGKILL'],
    [{ cause: 'signaled', signal: 'SIGTERM', oomKilled: true }, 'signaled, SIGTERM, OOM killer was at work'],
    [{ cause: 'lost', evidence: 'inferred' }, 'lost, inferred'],
    [{ event: 'STOP', signal: 'SIGTERM', graceMs: 5000 }, 'SIGTERM, grace 5 s'],
    [{ event: 'launch done', tookMs: 20.7 }, 'took 20.7 ms'],
    [{ failure: { code: 'START_FAILED', stage: 'exec', errno: 'ENOENT' } }, 'START_FAILED exec ENOENT'],
    [{ failure: { code: 'LOST' } }, 'LOST'],
    [{ event: 'EGRESS', host: 'example.com', port: 443, allowed: true }, 'allowed example.com:443'],
    [{ event: 'EGRESS', host: 'a\x1bb', port: 80, allowed: false }, 'denied a\\x1bb:80'],
  ] as const)
    it(`has the details ${text}`, () => assert.ok(details(otherwise).endsWith(text), details(otherwise)))
})

describe('the table of what tasks use', () => {
  it('has a row each, "-" for what is not known, and obeys no name', () => {
    const unknown = {
      cpuPercent: null,
      memoryBytes: null,
      memoryPeakBytes: null,
      memoryLimitBytes: null,
      pids: null,
    }
    const rest = { ioReadBytes: null, ioWriteBytes: null, throttledMs: null, pressure: null, cpuMs: null }
    const task = { key: 'mkey', name: 'a\x1b[2J' }
    const [head, one, two] = usageTable(
      [
        { task, at, ...unknown, ...rest },
        { task, at, ...unknown, ...rest, cpuMs: 1500, memoryBytes: 2 ** 20, pids: 3, ioReadBytes: 0 },
      ],
      plain,
    ).split('\n')
    assert.match(head ?? '', /^KEY +NAME +CPU +THROTTLED +MEMORY +LIMIT +PEAK +PIDS +READ +WRITTEN$/)
    assert.match(one ?? '', /^mkey {2}a\\x1b\[2J( +-){8}$/)
    assert.match(two ?? '', /^mkey {2}a\\x1b\[2J +1\.5 s +- +1 MiB +- +- +3 +0 B +-$/)
  })
})

describe('the screen of top', () => {
  it('is drawn in one write a frame, again when its size changes, and not when it is closed', () => {
    const written: string[] = []
    const out = Object.assign(new EventEmitter(), {
      ...{ columns: 10, rows: 2, write: (text: string) => written.push(text) > 0 },
    })
    const screen = new LiveScreen(out as never, ({ columns, rows }) => [
      `${columns}x${rows}`,
      'b',
      'too many',
    ])
    screen.draw()
    assert.deepEqual(written, [])
    screen.open()
    screen.draw()
    out.columns = 20
    out.emit('resize')
    screen.close()
    screen.draw()
    out.emit('resize')
    assert.deepEqual(written, [
      '\x1b[?1049h\x1b[?25l\x1b[?7l',
      '\x1b[H10x2\x1b[K\r\nb\x1b[K\x1b[J',
      '\x1b[H20x2\x1b[K\r\nb\x1b[K\x1b[J',
      '\x1b[?7h\x1b[?25h\x1b[?1049l',
    ])
    assert.equal(out.listenerCount('resize'), 0)
  })
})

describe('a document on one line', () => {
  it('is one line, and harmless to a terminal, whatever is in it', () => {
    const value = { name: 'a\n\x1b]0;x\x07\u202e\u2028', list: ['\ud800'] }
    const line = jsonLine(value)
    assert.match(line, /^[\x20-\x7e]*$/)
    assert.deepEqual(JSON.parse(line), value)
  })
})
