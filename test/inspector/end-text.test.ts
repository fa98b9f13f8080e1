import { strict as assert } from 'node:assert'
import type { Cause } from '../../src/index.ts'
import { endFacts, endSentence, limitsHitTexts } from '../../web/end-text.ts'
import { requestedText } from '../../web/text.ts'
import type { Details, End, EnforcementRow, Row } from '../../web/types.ts'
import { unknown } from './rows.ts'

const none = {
  oomKills: null,
  pidsRefused: 0,
  memoryHigh: null,
  throttledMs: 0,
  egressDenied: null,
  logBytesDropped: 0,
}

function ended(
  row: Partial<Row>,
  end: Partial<End> = {},
  limits: Record<string, string> = {},
): [Row, Details] {
  const whole: Row = { ...unknown, startedAt: 1000, exitedAt: 3500, evidence: 'record', ...row }
  const enforcement = Object.entries(limits).map(([name, requested]): EnforcementRow => {
    return { name, kind: 'limit', requested, status: 'enforced', reason: null, hint: null, chosen: false }
  })
  const details: Details = {
    row: whole,
    enforcement,
    usage: {
      cpuUserMs: 1,
      cpuSystemMs: 1,
      maxRssBytes: 60 << 20,
      memoryPeakBytes: null,
      memoryLimitBytes: null,
    },
    end: {
      signal: null,
      coreDumped: false,
      limitsHit: none,
      logsComplete: true,
      memoryPeakBytes: null,
      ...end,
    },
    hasOverlay: false,
  }
  return [whole, details]
}

describe('what the inspector says of an end', () => {
  it('is the cause, the limit and the peak of one for memory', () => {
    const limitsHit = { ...none, oomKills: 2, memoryHigh: 7, pidsRefused: 1, throttledMs: 1500 }
    const [row, details] = ended(
      { cause: 'oom', oomKilled: true },
      { signal: 'SIGKILL', limitsHit, memoryPeakBytes: 64 << 20 },
      { memoryBytes: String(64 << 20), pids: '10', cpuLimit: '0.5' },
    )
    assert.equal(
      endSentence(row, details),
      'It ran out of memory after 2.5 s: the kernel killed it at its limit of 64.0 MiB.',
    )
    assert.deepEqual(endFacts(row, details), [
      ['Memory limit', '64.0 MiB'],
      ['Peak', '64.0 MiB, as measured'],
      ['Largest process', '60.0 MiB'],
    ])
    assert.deepEqual(limitsHitTexts(details), [
      '2 processes killed for memory (limit: 64.0 MiB)',
      '7 times at the bound of its memory (limit: 64.0 MiB)',
      'once refused another process (limit: 10)',
      'kept from the processor for 1.5 s (limit: 0.5)',
    ])
  })

  it("is the kernel's limit and peak where it has counted, as after an update", () => {
    const [row, details] = ended(
      { cause: 'oom', oomKilled: true },
      { signal: 'SIGKILL', memoryPeakBytes: 1 << 20 },
      { memoryBytes: String(64 << 20) },
    )
    const usage = { cpuUserMs: 1, cpuSystemMs: 1, maxRssBytes: 1, memoryPeakBytes: 31 << 20 }
    const counted = { ...details, usage: { ...usage, memoryLimitBytes: 32 << 20 } }
    assert.match(endSentence(row, counted), /at its limit of 32.0 MiB\.$/)
    assert.deepEqual(endFacts(row, counted).slice(0, 2), [
      ['Memory limit', '32.0 MiB'],
      ['Peak', '31.0 MiB'],
    ])
  })

  it('is a sentence for each cause', () => {
    const sentences: Record<Cause, [string, Partial<Row>, Partial<End>?, Record<string, string>?]> = {
      exited: ['It exited with code 3 after 2.5 s.', { exitCode: 3 }],
      signaled: [
        'It was ended by SIGSEGV, dumping core after 2.5 s.',
        {},
        { signal: 'SIGSEGV', coreDumped: true },
      ],
      shutdown: ['It was stopped as asked, and was ended by SIGTERM after 2.5 s.', {}, { signal: 'SIGTERM' }],
      forced: ['It was killed with all that it had started, after 2.5 s.', {}, { signal: 'SIGKILL' }],
      oom: ['It ran out of memory after 2.5 s: the kernel killed it at its limit.', {}],
      timeout: [
        'Its time of 2.5 s was up, and it was ended by SIGTERM.',
        {},
        { signal: 'SIGTERM' },
        { wallTimeMs: '2500' },
      ],
      output: [
        'It gave more output than its limit of 1.0 KiB, and exited with code 0 after 2.5 s.',
        { exitCode: 0 },
        {},
        { outputBytes: '1024' },
      ],
      startFailed: ['It did not start.', { startedAt: null, exitedAt: null }],
      lost: ['It was lost: it has ended, and nobody knows how.', {}],
    }
    for (const [cause, [sentence, row, end, limits]] of Object.entries(sentences))
      assert.equal(endSentence(...ended({ ...row, cause: cause as Cause }, end, limits)), sentence)
  })

  it('is nothing of limits that held nobody up, and says what nobody has written down', () => {
    const [row, details] = ended(
      { cause: 'exited', exitCode: 0, evidence: 'inferred' },
      { logsComplete: false },
    )
    assert.deepEqual(limitsHitTexts(details), [])
    assert.deepEqual(
      endFacts(row, details).map(([name]) => name),
      ['Evidence', 'Logs'],
    )
  })

  it('has bytes and milliseconds in units, and takes nothing else for a number', () => {
    assert.equal(requestedText({ name: 'memoryBytes', requested: '134217728' }), '128.0 MiB')
    assert.equal(requestedText({ name: 'wallTimeMs', requested: '90000' }), '1m 30s')
    assert.equal(requestedText({ name: 'pids', requested: '1024' }), '1024')
    assert.equal(requestedText({ name: 'memoryBytes', requested: '***' }), '***')
  })
})
