import assert from 'node:assert/strict'
import type { Outcome } from '../../machines/index.ts'
import { HoldfastError } from '../../src/errors.ts'
import { toWaitResult } from '../../src/task/wait-result.ts'

const outcome: Outcome = {
  exitCode: 0,
  signal: null,
  coreDumped: false,
  oomKilled: false,
  cause: 'exited',
  evidence: 'record',
  failure: null,
  startedAt: 1000,
  exitedAt: 2000,
  usage: { cpuUserMs: 1, cpuSystemMs: 2, maxRssBytes: 3 },
  logsComplete: true,
  survivors: [],
}

describe('the wait result', () => {
  it('is successful for exit code 0 alone', () => {
    assert.equal(toWaitResult(outcome).successful, true)
    assert.equal(toWaitResult({ ...outcome, exitCode: 3 }).successful, false)
    assert.equal(toWaitResult({ ...outcome, exitCode: null, signal: 9 }).successful, false)
    assert.equal(toWaitResult({ ...outcome, failure: { code: 'LOST', message: 'gone' } }).successful, false)
  })

  it('names signals, real-time ones too', () => {
    assert.equal(toWaitResult({ ...outcome, exitCode: null, signal: 15 }).signal, 'SIGTERM')
    assert.equal(toWaitResult({ ...outcome, exitCode: null, signal: 40 }).signal, 'SIGRTMIN+6')
  })

  it('turns times into Dates, a failure into a HoldfastError, and the unknown into null', () => {
    const result = toWaitResult({
      ...outcome,
      exitedAt: null,
      usage: null,
      failure: { code: 'LOST', message: 'gone', hint: 'look' },
    })
    assert.deepEqual(result.startedAt, new Date(1000))
    assert.equal(result.exitedAt, null)
    assert.equal(result.usage, null)
    assert.ok(result.error instanceof HoldfastError)
    assert.equal(result.error.hint, 'look')
  })

  it('says which limits held it up, and null of what nobody has counted', () => {
    const known = {
      oomKills: 1,
      pidsRefused: 2,
      memoryHigh: 3,
      throttledMs: 4.5,
      egressDenied: null,
      logBytesDropped: 0,
    }
    assert.deepEqual(toWaitResult({ ...outcome, limitsHit: known }).limitsHit, known)
    assert.deepEqual(Object.values(toWaitResult(outcome).limitsHit), [null, null, null, null, null, null])
  })

  it('says how much memory all of it took, and null where a supervisor has not kept it', () => {
    const { usage } = outcome
    assert.deepEqual(toWaitResult(outcome).usage, { ...usage, memoryPeakBytes: null, memoryLimitBytes: null })
    const known = { cpuUserMs: 1, cpuSystemMs: 2, maxRssBytes: 3, memoryPeakBytes: 4, memoryLimitBytes: 5 }
    assert.deepEqual(toWaitResult({ ...outcome, usage: known }).usage, known)
  })

  it('gives each reader an object of its own', () => {
    const first = toWaitResult(outcome)
    if (first.usage) first.usage.cpuUserMs = 99
    assert.equal(toWaitResult(outcome).usage?.cpuUserMs, 1)
  })
})
