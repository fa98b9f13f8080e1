import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Observation, type Phase, phases, type Reconciliation, reconcile } from '../../machines/index.ts'
import { exitRecord, startRecord } from './samples.ts'

const running: Observation = {
  exit: null,
  start: startRecord,
  sameBoot: true,
  shimAlive: true,
  treeAlive: true,
  traces: true,
}
const dead: Observation = { ...running, shimAlive: false, treeAlive: false }
const orphaned: Observation = { ...running, shimAlive: false }
const rebooted: Observation = { ...dead, sameBoot: false }
const ended: Observation = { ...dead, exit: exitRecord }
const starting: Observation = { ...running, start: null }
const untouched: Observation = { ...dead, start: null, traces: false }
const onlyTraces: Observation = { ...dead, start: null }

const lost = (reason: RegExp, killTree = false) => ({ decision: 'lost', reason, killTree })
const recorded = { decision: 'exited', record: exitRecord, killTree: false }
const resume = { decision: 'resume', adopt: false }
const adopt = { decision: 'resume', adopt: true }
const quarantine = (control: boolean) => ({ decision: 'quarantine', reason: /cannot be read/, control })

type Row = readonly [string, readonly (Phase | 'corrupt')[], Observation, Record<string, unknown>]
const unfinished = ['configured', 'limited', 'launching', 'running', 'stopping'] as const
const started = ['launching', 'running', 'stopping'] as const
const unstarted = ['configured', 'limited'] as const

const rows: readonly Row[] = [
  ['a corrupt snapshot of a live task', ['corrupt'], running, quarantine(true)],
  ['a corrupt snapshot of a dead task', ['corrupt'], dead, quarantine(false)],
  ['a corrupt snapshot of another boot', ['corrupt'], { ...running, sameBoot: false }, quarantine(false)],
  ['a corrupt snapshot beside an exit record', ['corrupt'], ended, quarantine(false)],
  ['an end that is stored', ['exited'], dead, { decision: 'exited', record: null, killTree: false }],
  [
    'an end that is stored and recorded',
    ['exited'],
    ended,
    { decision: 'exited', record: null, killTree: false },
  ],
  [
    'an end that is stored, with processes left',
    ['exited'],
    orphaned,
    { decision: 'exited', record: null, killTree: true },
  ],
  ['an exit record', unfinished, ended, recorded],
  ['an exit record after a reboot', unfinished, { ...ended, sameBoot: false }, recorded],
  [
    'an exit record whose shim is about to end',
    unfinished,
    { ...running, treeAlive: false, exit: exitRecord },
    recorded,
  ],
  [
    'an exit record with processes left',
    unfinished,
    { ...ended, treeAlive: true },
    { ...recorded, killTree: true },
  ],
  ['a corrupt exit record', unfinished, { ...ended, exit: 'corrupt' }, lost(/exit record cannot be read/)],
  [
    'a corrupt exit record with processes left',
    unfinished,
    { ...orphaned, exit: 'corrupt' },
    lost(/exit record/, true),
  ],
  ['no trace of a task that was never started', unstarted, untouched, resume],
  [
    'no trace of a task that was never started, after a reboot',
    unstarted,
    { ...untouched, sameBoot: false },
    resume,
  ],
  ['no trace of a task being launched', ['launching'], untouched, lost(/not started again/)],
  ['no trace of a task that ran', ['running', 'stopping'], untouched, lost(/shim is gone/)],
  [
    'traces of a shim that died before its start record',
    [...unstarted, ...started],
    onlyTraces,
    lost(/shim is gone/),
  ],
  ['a reboot', unfinished, rebooted, lost(/rebooted/)],
  [
    'a reboot, with pids that seem alive',
    unfinished,
    { ...rebooted, shimAlive: true, treeAlive: true },
    lost(/rebooted/),
  ],
  ['a dead shim and nothing left', unfinished, dead, lost(/shim is gone/)],
  ['a dead shim and a task that lives on', unfinished, orphaned, lost(/shim is gone/, true)],
  ['a dead shim, a corrupt start record', unfinished, { ...dead, start: 'corrupt' }, lost(/shim is gone/)],
  ['a live shim', started, running, resume],
  ['a live shim without a start record (yet)', started, starting, resume],
  [
    'a live shim and a corrupt start record the snapshot does not need',
    ['running', 'stopping'],
    { ...running, start: 'corrupt' },
    resume,
  ],
  [
    'a live shim and a corrupt start record',
    [...unstarted, 'launching'],
    { ...running, start: 'corrupt' },
    quarantine(true),
  ],
  ['a live shim the snapshot does not know of', unstarted, running, adopt],
  ['a live shim the snapshot does not know of, still starting', unstarted, starting, adopt],
]

describe('reconciling a stored task with what is there', () => {
  for (const [what, states, seen, expected] of rows) {
    for (const stored of states) {
      it(`says ${String(expected.decision)} for ${what} (${stored})`, () => {
        check(reconcile(stored, seen), expected)
      })
    }
  }

  it('keeps to its rules for every snapshot and observation', () => {
    fc.assert(
      fc.property(fc.constantFrom(...phases, 'corrupt' as const), observations, (stored, seen) => {
        const result = reconcile(stored, seen)
        if (result.decision === 'resume' && stored !== 'configured' && stored !== 'limited')
          assert.ok(seen.shimAlive && seen.sameBoot)
        if (seen.exit !== null && stored !== 'corrupt')
          assert.ok(result.decision === 'exited' || result.decision === 'lost')
        // Never kill by the names of another boot, nor behind the back of a live shim.
        if ('killTree' in result && result.killTree)
          assert.ok(seen.sameBoot && seen.treeAlive && !seen.shimAlive)
        if (
          stored !== 'exited' &&
          stored !== 'corrupt' &&
          seen.exit === null &&
          !seen.shimAlive &&
          seen.treeAlive &&
          seen.sameBoot
        )
          assert.equal('killTree' in result && result.killTree, true)
      }),
      { numRuns: 500 },
    )
  })
})

function check(actual: Reconciliation, expected: Record<string, unknown>): void {
  const reason = 'reason' in actual ? actual.reason : undefined
  if (expected.reason instanceof RegExp) assert.match(reason ?? '', expected.reason)
  assert.deepEqual({ ...actual, reason: undefined }, { ...expected, reason: undefined })
}

const observations: fc.Arbitrary<Observation> = fc.record({
  exit: fc.constantFrom(null, exitRecord, 'corrupt' as const),
  start: fc.constantFrom(null, startRecord, 'corrupt' as const),
  sameBoot: fc.boolean(),
  shimAlive: fc.boolean(),
  treeAlive: fc.boolean(),
  traces: fc.boolean(),
})
