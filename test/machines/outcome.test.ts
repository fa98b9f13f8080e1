import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  type Cause,
  type ExitRecord,
  launchOutcome,
  lostOutcome,
  outcomeOf,
  type StopRecord,
  snapshotFault,
  startFailedOutcome,
} from '../../machines/index.ts'
import { exitRecord, outcome, storedAt } from './samples.ts'

const errnoName = (errno: number) => ({ 1: 'EPERM', 2: 'ENOENT' })[errno] ?? `E${errno}`
const outcomeFrom = (changes: Partial<ExitRecord>) => outcomeOf({ ...exitRecord, ...changes }, errnoName)

const shutdown: StopRecord = { reason: 'shutdown', signal: 15, at: 1, forcedAt: null }
const force: StopRecord = { reason: 'force', signal: 9, at: 1, forcedAt: 1 }
const timeout: StopRecord = { reason: 'timeout', signal: 15, at: 1, forcedAt: null }
const orphaned: StopRecord = { reason: 'orphaned', signal: 9, at: 1, forcedAt: 1 }
const killed = { exitCode: null, signal: 9 }

const causes: readonly (readonly [string, Partial<ExitRecord>, Cause])[] = [
  ['an exit with 0', {}, 'exited'],
  ['an exit with 137, which proves nothing', { exitCode: 137 }, 'exited'],
  ['an exit with 137 after a child was OOM-killed', { exitCode: 137, oomKills: 1 }, 'exited'],
  ['a SIGSEGV', { exitCode: null, signal: 11, coreDumped: true }, 'signaled'],
  ['a SIGKILL nobody of us sent', killed, 'signaled'],
  ['a SIGKILL where OOM kills cannot be counted', { ...killed, oomKills: null }, 'signaled'],
  ['a SIGKILL with an OOM kill counted', { ...killed, oomKills: 1 }, 'oom'],
  ['a SIGSEGV with an OOM kill counted', { exitCode: null, signal: 11, oomKills: 1 }, 'signaled'],
  ['an OOM kill during the grace of a shutdown', { ...killed, oomKills: 1, stop: shutdown }, 'oom'],
  ['an OOM kill of a child before our own SIGKILL', { ...killed, oomKills: 1, stop: force }, 'forced'],
  ['an orderly end after a shutdown', { stop: shutdown }, 'shutdown'],
  ['death by the signal of a shutdown', { exitCode: null, signal: 15, stop: shutdown }, 'shutdown'],
  ['a shutdown whose grace ran out', { ...killed, stop: { ...shutdown, forcedAt: 2 } }, 'forced'],
  ['a leader that obeyed while its children were killed', { stop: { ...shutdown, forcedAt: 2 } }, 'shutdown'],
  ['a shutdown with SIGKILL for a signal', { ...killed, stop: { ...shutdown, signal: 9 } }, 'shutdown'],
  [
    'the same with an OOM kill counted',
    { ...killed, oomKills: 1, stop: { ...shutdown, signal: 9 } },
    'shutdown',
  ],
  ['a force', { ...killed, stop: force }, 'forced'],
  ['the end of the supervisor it was not to outlive', { ...killed, stop: orphaned }, 'forced'],
  ['that end during the grace of a shutdown', { ...killed, stop: { ...shutdown, forcedAt: 2 } }, 'forced'],
  ['an exit of its own just before that end', { exitCode: 3, stop: orphaned }, 'exited'],
  ['an exit of its own just before a force', { exitCode: 3, stop: force }, 'exited'],
  ['a SIGSEGV just before a force', { exitCode: null, signal: 11, stop: force }, 'signaled'],
  ['the wall time limit, obeyed', { stop: timeout }, 'timeout'],
  ['the limit on output', { ...killed, stop: { ...timeout, reason: 'output' as const } }, 'output'],
  ['the wall time limit, enforced', { ...killed, stop: { ...timeout, forcedAt: 2 } }, 'timeout'],
  [
    'a start that failed',
    { exitCode: null, failure: { stage: 'exec', errno: 2, detail: '/bin/nope' } },
    'startFailed',
  ],
  [
    'a start that failed during a shutdown',
    { exitCode: null, stop: shutdown, failure: { stage: 'exec', errno: 2, detail: '' } },
    'startFailed',
  ],
  ['a record without a status', { exitCode: null }, 'lost'],
]

describe('the outcome of an exit record', () => {
  for (const [what, changes, cause] of causes) {
    it(`is ${cause} for ${what}`, () => {
      assert.equal(outcomeFrom(changes).cause, cause)
    })
  }

  it('carries the numbers of the record, in milliseconds and bytes', () => {
    assert.deepEqual(outcomeFrom({ exitCode: 3, survivors: [7], logsComplete: false }), {
      exitCode: 3,
      signal: null,
      coreDumped: false,
      oomKilled: false,
      cause: 'exited',
      evidence: 'record',
      failure: null,
      startedAt: 1_700_000_000_010,
      exitedAt: 1_700_000_000_900,
      usage: {
        cpuUserMs: 1.5,
        cpuSystemMs: 0.25,
        maxRssBytes: 2048,
        memoryPeakBytes: 4096,
        memoryLimitBytes: null,
      },
      logsComplete: false,
      survivors: [7],
      limitsHit: {
        oomKills: 0,
        pidsRefused: 2,
        memoryHigh: null,
        throttledMs: 1.5,
        egressDenied: null,
        logBytesDropped: 0,
      },
    })
  })

  it('has no usage where the platform cannot tell', () => {
    assert.equal(outcomeFrom({ rusage: null }).usage, null)
  })

  it('takes oomKilled from the counter alone', () => {
    assert.equal(outcomeFrom({ exitCode: 1, oomKills: 1 }).oomKilled, true)
    assert.equal(outcomeFrom({ ...killed, oomKills: 0 }).oomKilled, false)
    assert.equal(outcomeFrom({ ...killed, oomKills: null }).oomKilled, false)
  })

  it('says why a start failed', () => {
    const { failure, exitCode } = outcomeFrom({
      exitCode: 127,
      failure: { stage: 'exec', errno: 2, detail: '/bin/nope' },
    })
    assert.equal(exitCode, null)
    assert.equal(failure?.code, 'START_FAILED')
    assert.equal(failure?.errno, 'ENOENT')
  })

  it('never makes up a code or a signal, whatever the record holds', () => {
    fc.assert(
      fc.property(records, record => {
        const result = outcomeOf(record, errnoName)
        const ran = record.failure === null
        assert.equal(result.exitCode, ran ? record.exitCode : null)
        assert.equal(result.signal, ran ? record.signal : null)
        assert.equal(result.evidence, 'record')
        assert.equal(result.failure !== null, result.cause === 'startFailed' || result.cause === 'lost')
        if (result.cause === 'oom' || result.cause === 'forced') assert.equal(result.signal, 9)
        if (result.cause === 'oom') assert.ok(result.oomKilled)
        if (result.cause === 'exited') assert.notEqual(result.exitCode, null)
        if (result.cause === 'signaled') assert.notEqual(result.signal, null)
        if (record.stop === null)
          assert.ok(!['shutdown', 'forced', 'timeout', 'output'].includes(result.cause))
        assert.deepEqual(JSON.parse(JSON.stringify(result)), result)
        const stored = storedAt('exited')
        assert.equal(snapshotFault({ ...stored, context: { ...stored.context, outcome: result } }), null)
      }),
    )
  })
})

describe('the outcome without an exit record', () => {
  it('knows of a lost task only that it is lost', () => {
    assert.deepEqual(lostOutcome('the host rebooted', 5), {
      exitCode: null,
      signal: null,
      coreDumped: false,
      oomKilled: false,
      cause: 'lost',
      evidence: 'inferred',
      failure: { code: 'LOST', message: 'the host rebooted' },
      startedAt: null,
      exitedAt: 5,
      usage: null,
      logsComplete: false,
      survivors: [],
    })
  })

  it('is startFailed for a task that never ran', () => {
    const failure = { code: 'UNSUPPORTED', message: 'no' } as const
    const result = startFailedOutcome(failure, null)
    assert.equal(result.cause, 'startFailed')
    assert.equal(result.failure, failure)
    assert.equal(result.startedAt, null)
  })

  it('is the one a launch was rejected with, where that is an outcome', () => {
    assert.equal(launchOutcome({ outcome }), outcome)
    assert.equal(launchOutcome({ outcome: { cause: 'exited' } }).cause, 'startFailed')
  })

  it('is startFailed for whatever else a launch was rejected with', () => {
    fc.assert(
      fc.property(fc.anything(), error => {
        const result = launchOutcome(error)
        assert.equal(result.cause, 'startFailed')
        assert.deepEqual(JSON.parse(JSON.stringify(result)), result)
      }),
    )
  })
})

const milliseconds = fc.nat()
const records: fc.Arbitrary<ExitRecord> = fc.record({
  format: fc.constant('holdfast.exit'),
  version: fc.constant(1),
  exitCode: fc.option(fc.integer({ min: 0, max: 255 })),
  signal: fc.option(fc.constantFrom(1, 2, 6, 9, 11, 15)),
  coreDumped: fc.boolean(),
  rusage: fc.option(fc.record({ userUs: fc.nat(), systemUs: fc.nat(), maxRssKb: fc.nat() })),
  startedAt: fc.option(milliseconds),
  exitedAt: milliseconds,
  oomKills: fc.option(fc.nat({ max: 2 })),
  stop: fc.option(
    fc.record({
      reason: fc.constantFrom('shutdown', 'force', 'timeout', 'output', 'orphaned'),
      signal: fc.constantFrom(2, 9, 15),
      at: milliseconds,
      forcedAt: fc.option(milliseconds),
    }),
  ),
  survivors: fc.array(fc.nat(), { maxLength: 2 }),
  logsComplete: fc.boolean(),
  limitsHit: fc.constant(exitRecord.limitsHit),
  memory: fc.constant(exitRecord.memory),
  failure: fc.option(fc.record({ stage: fc.string(), errno: fc.nat({ max: 40 }), detail: fc.string() }), {
    freq: 2,
  }),
})
