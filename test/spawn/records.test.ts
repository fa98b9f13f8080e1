import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { ExitRecord, StartRecord } from '../../machines/index.ts'
import { plainExit as exit } from '../support/exit-record.ts'
import { parseExit, parseStart, readExit, readStart } from '../../src/spawn/records.ts'

const count = fc.maxSafeNat()
const pid = fc.integer({ min: 1, max: 2 ** 31 - 1 })
const time = fc.integer({ min: 0, max: 8.64e15 })
const signal = fc.integer({ min: 1, max: 64 })
const identity = fc.record({ pid, startTime: count })

const startRecords: fc.Arbitrary<StartRecord> = fc.record({
  format: fc.constant('holdfast.start'),
  version: fc.constant(1),
  shim: identity,
  task: identity,
  init: fc.option(identity),
  bootId: fc.constantFrom('', '6c2a0f4e-1111-4222-8333-444455556666'),
  startedAt: time,
  cgroups: fc.array(fc.constantFrom('/sys/fs/cgroup/a', '/sys/fs/cgroup/a..b')),
})

const ends: fc.Arbitrary<Pick<ExitRecord, 'exitCode' | 'signal' | 'coreDumped' | 'failure'>> = fc.oneof(
  fc.record({
    exitCode: fc.integer({ min: 0, max: 255 }),
    signal: fc.constant(null),
    coreDumped: fc.constant(false),
    failure: fc.constant(null),
  }),
  fc.record({ exitCode: fc.constant(null), signal, coreDumped: fc.boolean(), failure: fc.constant(null) }),
  fc.record({
    exitCode: fc.constant(null),
    signal: fc.constant(null),
    coreDumped: fc.constant(false),
    failure: fc.record({
      stage: fc.constantFrom('exec', 'mount'),
      errno: fc.nat({ max: 133 }),
      detail: fc.string(),
    }),
  }),
)

const exitRecords: fc.Arbitrary<ExitRecord> = fc
  .tuple(
    ends,
    fc.record({
      format: fc.constant('holdfast.exit' as const),
      version: fc.constant(1 as const),
      rusage: fc.option(fc.record({ userUs: count, systemUs: count, maxRssKb: count })),
      startedAt: fc.option(time),
      exitedAt: time,
      oomKills: fc.option(count),
      stop: fc.option(
        fc.record({
          reason: fc.constantFrom(
            'shutdown' as const,
            'force' as const,
            'timeout' as const,
            'orphaned' as const,
          ),
          signal,
          at: time,
          forcedAt: fc.option(time),
        }),
      ),
      survivors: fc.array(pid),
      logsComplete: fc.boolean(),
      limitsHit: fc.record({
        pidsRefused: fc.option(count),
        memoryHigh: fc.option(count),
        throttledUs: fc.option(count),
        egressDenied: fc.option(count),
        logBytesDropped: fc.option(count),
      }),
      memory: fc.record({ peakBytes: fc.option(count), limitBytes: fc.option(count) }),
    }),
  )
  .map(([end, rest]) => ({ ...rest, ...end }))

/** What shims of earlier versions do not write. */
const later = ['limitsHit', 'memory']

const plain = (value: unknown): Record<string, unknown> =>
  JSON.parse(JSON.stringify(value)) as Record<string, unknown>
const isCorrupt = (result: object): result is { corrupt: string } => 'corrupt' in result

for (const [name, parse, records] of [
  ['parseStart', parseStart, startRecords],
  ['parseExit', parseExit, exitRecords],
] as [string, (text: string) => object, fc.Arbitrary<object>][]) {
  describe(name, () => {
    it('gives back every record as it was written', () => {
      fc.assert(
        fc.property(records, record => assert.deepEqual(plain(parse(JSON.stringify(record))), plain(record))),
      )
    })

    it('says why any other text is corrupt, and never throws', () => {
      fc.assert(
        fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), text => {
          const result = parse(text)
          assert.ok(isCorrupt(result) && result.corrupt.length > 0 && result.corrupt.length < 300)
        }),
      )
    })

    it('believes no truncated record', () => {
      fc.assert(
        fc.property(records, fc.nat(), (record, length) => {
          const text = JSON.stringify(record)
          assert.ok(isCorrupt(parse(text.slice(0, length % text.length))))
        }),
      )
    })

    it('believes no record that lacks a field', () => {
      fc.assert(
        fc.property(records, fc.nat(), (record, index) => {
          const names = Object.keys(record).filter(name => !later.includes(name))
          const { [names[index % names.length] ?? '']: _, ...rest } = plain(record)
          assert.ok(isCorrupt(parse(JSON.stringify(rest))))
        }),
      )
    })

    it('believes no record with a field of another type, and names the field', () => {
      fc.assert(
        fc.property(
          records,
          fc.nat(),
          fc.constantFrom<unknown>({ x: 1 }, -1, 1.5, [[]], 'x', [null]),
          (record, index, wrong) => {
            const fields = Object.keys(record).filter(key => !(key === 'bootId' && wrong === 'x'))
            const field = fields[index % fields.length] ?? ''
            const result = parse(JSON.stringify({ ...record, [field]: wrong }))
            assert.ok(isCorrupt(result))
            assert.ok(result.corrupt.startsWith(field), result.corrupt)
          },
        ),
      )
    })

    it('leaves out fields it does not know', () => {
      fc.assert(
        fc.property(records, record =>
          assert.deepEqual(plain(parse(JSON.stringify({ ...record, later: 1 }))), plain(record)),
        ),
      )
    })

    it('survives any change of one character: a record or a reason', () => {
      fc.assert(
        fc.property(records, fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), (record, at, character) => {
          const text = JSON.stringify(record)
          const index = at % text.length
          const result = parse(text.slice(0, index) + character + text.slice(index + 1))
          assert.ok(isCorrupt(result) || Object.keys(result).length === Object.keys(record).length)
        }),
      )
    })
  })
}

const start: StartRecord = {
  format: 'holdfast.start',
  version: 1,
  shim: { pid: 10, startTime: 1 },
  task: { pid: 12, startTime: 2 },
  init: null,
  bootId: '',
  startedAt: 1,
  cgroups: [],
}
describe('the exit record of a shim that an earlier version has started', () => {
  it('is believed without the counters that it does not have: nobody knows them', () => {
    const { limitsHit, memory, ...earlier } = exit
    assert.deepEqual(parseExit(JSON.stringify(earlier)), { ...exit, limitsHit, memory })
  })
})

describe('parseStart', () => {
  for (const [what, change] of [
    ['pid 0', { task: { pid: 0, startTime: 1 } }],
    ['a negative pid, which kill(2) takes for a group', { shim: { pid: -1, startTime: 1 } }],
    ['another version', { version: 2 }],
    ['the other format', { format: 'holdfast.exit' }],
    ['a relative cgroup', { cgroups: ['sys/fs'] }],
    ['a cgroup that climbs', { cgroups: ['/sys/fs/cgroup/../../x'] }],
  ] as [string, object][]) {
    it(`does not believe ${what}`, () =>
      assert.ok(isCorrupt(parseStart(JSON.stringify({ ...start, ...change })))))
  }
})

describe('parseExit', () => {
  it('believes that there is no end yet when it names who is alive', () => {
    const record = { ...exit, exitCode: null, survivors: [7], logsComplete: false }
    assert.deepEqual(parseExit(JSON.stringify(record)), record)
  })

  const failure = { stage: 'exec', errno: 2, detail: '' }
  for (const [what, change] of [
    ['no end at all: unknown is never 0', { exitCode: null }],
    ['two ends', { signal: 9 }],
    ['an exit code of what never ran', { failure }],
    ['a core dump without a signal', { coreDumped: true }],
    ['signal 0', { exitCode: null, signal: 0 }],
    ['signal 65', { exitCode: null, signal: 65 }],
    ['a negative exit code', { exitCode: -1 }],
    ['another version', { version: 0 }],
  ] as [string, object][]) {
    it(`does not believe ${what}`, () =>
      assert.ok(isCorrupt(parseExit(JSON.stringify({ ...exit, ...change })))))
  }
})

describe('readStart and readExit', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-records-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))
  const write = (content: string) => {
    for (const name of ['start.json', 'exit.json']) writeFileSync(join(directory, name), content)
  }
  const both = () => [readStart(directory), readExit(directory)]

  it('read what is there', () => {
    writeFileSync(join(directory, 'start.json'), JSON.stringify(start))
    writeFileSync(join(directory, 'exit.json'), JSON.stringify(exit))
    assert.deepEqual(both(), [start, exit])
  })

  it('give null for what is absent, also the whole directory', () => {
    assert.deepEqual(both(), [null, null])
    assert.equal(readStart(join(directory, 'absent')), null)
  })

  it('call an empty file corrupt, not absent', () => {
    write('')
    assert.deepEqual(both(), [{ corrupt: 'it is empty' }, { corrupt: 'it is empty' }])
  })

  it('refuse more than a mebibyte, and take exactly that', () => {
    write(JSON.stringify(start).padEnd(1024 * 1024))
    assert.deepEqual(readStart(directory), start)
    write(JSON.stringify(start).padEnd(1024 * 1024 + 1))
    assert.match(JSON.stringify(readStart(directory)), /it has 1048577 bytes/)
  })

  for (const [what, put] of [
    ['a directory', (path: string) => mkdirSync(path)],
    ['a link', (path: string) => symlinkSync('/etc/hostname', path)],
    ['a FIFO, without waiting for a writer', (path: string) => execFileSync('mkfifo', [path])],
  ] as const) {
    it(`call ${what} corrupt`, () => {
      put(join(directory, 'exit.json'))
      assert.deepEqual(readExit(directory), { corrupt: 'it is not a regular file' })
    })
  }

  it('throw when the system fails, for that says nothing about the record', () => {
    writeFileSync(join(directory, 'file'), '')
    assert.throws(() => readExit(join(directory, 'file')), { code: 'INVALID_STATE', errno: 'ENOTDIR' })
  })
})
