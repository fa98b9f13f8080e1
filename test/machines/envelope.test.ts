import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import {
  type Envelope,
  type Migration,
  migrate,
  passedStates,
  type Phase,
  phaseOf,
  phases,
  restoreTask,
  type StoredSnapshot,
} from '../../machines/index.ts'
import { type Call, exited, launched, recordingMachine, start, stop, storedAt } from './samples.ts'

const envelope = (changes: object = {}) => ({
  format: 'holdfast.task',
  version: 2,
  savedAt: 1_700_000_000_000,
  spec: { key: 'web-1' },
  snapshot: storedAt('running'),
  ...changes,
})
const reasonOf = (raw: unknown, chain?: readonly Migration[]): string => {
  const result = migrate(raw, chain)
  assert.ok('quarantine' in result, 'was not quarantined')
  return result.quarantine
}

const frozen = async (version: number, phase: Phase): Promise<Envelope> => {
  const file = new URL(`../fixtures/snapshots/v${version}-${phase}.json`, import.meta.url)
  return JSON.parse(await readFile(file, 'utf8')) as Envelope
}

/**
 * The files are what each version wrote: they never change. A format they do not fit any more needs a
 * migration.
 */
for (const version of [1, 2]) {
  describe(`a snapshot of version ${version}`, () => {
    const actors: Record<Phase, readonly string[]> = {
      configured: [],
      limited: [],
      launching: ['launch'],
      running: ['watch'],
      stopping: ['watch', 'stop'],
      exited: [],
    }
    for (const phase of phases) {
      it(`is restored in ${phase}, with the actors it needs`, async () => {
        const result = migrate(await frozen(version, phase))
        assert.ok('ok' in result, JSON.stringify(result))
        const { snapshot } = result.ok
        assert.equal(phaseOf(snapshot), phase)
        const calls: Call[] = []
        const task = restoreTask(recordingMachine(calls), snapshot).start()
        assert.equal(phaseOf(task.getSnapshot()), phase)
        assert.equal(task.getSnapshot().status, phase === 'exited' ? 'done' : 'active')
        assert.deepEqual(task.getSnapshot().context, snapshot.context)
        assert.deepEqual(
          calls.map(call => call.actor),
          actors[phase],
        )
      })

      it(`goes on from ${phase} to its end`, async () => {
        const result = migrate(await frozen(version, phase))
        assert.ok('ok' in result)
        const task = restoreTask(recordingMachine(), result.ok.snapshot).start()
        const way = phase === 'configured' || phase === 'limited' ? [start, launched] : []
        for (const event of [...way, ...(phase === 'launching' ? [stop, launched] : []), exited])
          task.send(event)
        assert.equal(task.getSnapshot().value, 'exited')
      })
    }
  })
}

/**
 * Version 1 stored the reason with the input of its stop actor, too, where nobody read it. Left there, it is
 * not read either.
 */
function withoutReason(envelope: Envelope): unknown {
  const isInput = (value: object): boolean => 'killAt' in value && !('requestedAt' in value)
  return JSON.parse(JSON.stringify(envelope), (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !isInput(value)) return value
    return Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'reason'))
  })
}

describe('the migration to version 2', () => {
  for (const phase of phases) {
    it(`makes of a task that is ${phase} what version 2 would have written`, async () => {
      const [before, after] = [await frozen(1, phase), await frozen(2, phase)]
      assert.deepEqual(migrate(withoutReason(before)), { ok: after })
    })

    it(`lists as many passed states in ${phase} as version 1 had counted`, async () => {
      const before = await frozen(1, phase)
      const migrated = migrate(before)
      assert.ok('ok' in migrated)
      const counted = (before.snapshot.context as unknown as { sequence: number }).sequence
      assert.equal(passedStates(migrated.ok.snapshot).length, counted)
    })
  }

  it('keeps the number of published transitions, under its new name', async () => {
    const before = await frozen(1, 'running')
    const migrated = migrate({ ...before, spec: { key: 'web-1', told: 1 } })
    assert.ok('ok' in migrated)
    assert.deepEqual(migrated.ok.spec, { key: 'web-1', delivered: 1 })
  })

  it('quarantines what version 1 would not have taken either', async () => {
    const before = await frozen(1, 'running')
    const changed = (context: object) => ({
      ...before,
      snapshot: { ...before.snapshot, context: { ...before.snapshot.context, ...context } },
    })
    assert.match(reasonOf(changed({ launching: true })), /launching in state "running"/)
    assert.match(reasonOf(changed({ launching: 1 })), /whether it is launching/)
    assert.match(reasonOf(changed({ start: null })), /without start/)
    assert.match(reasonOf({ ...before, snapshot: null }), /snapshot.*no object/)
    assert.match(reasonOf({ ...before, spec: null }), /spec/)
  })
})

describe('reading an envelope', () => {
  it('takes what was written, unchanged', () => {
    for (const phase of phases) {
      const written = envelope({ snapshot: storedAt(phase) })
      assert.deepEqual(migrate(JSON.parse(JSON.stringify(written))), { ok: written })
    }
  })

  const broken: readonly (readonly [string, unknown, RegExp])[] = [
    ['null', null, /holds nothing/],
    ['a list', [], /a list/],
    ['a number', 7, /a number/],
    ['another format', envelope({ format: 'other' }), /format/],
    ['no version', envelope({ version: undefined }), /version/],
    ['version 0', envelope({ version: 0 }), /version/],
    ['version 1.5', envelope({ version: 1.5 }), /version/],
    ['a version yet to come', envelope({ version: 3 }), /version 3.*newer holdfast/],
    ['no time', envelope({ savedAt: 'today' }), /savedAt/],
    ['no spec', envelope({ spec: null }), /spec/],
    ['no snapshot', envelope({ snapshot: undefined }), /snapshot.*no object/],
  ]
  for (const [what, raw, reason] of broken) {
    it(`quarantines ${what}, and says why`, () => {
      assert.match(reasonOf(raw), reason)
    })
  }

  const damaged: readonly (readonly [string, Phase, (snapshot: StoredSnapshot) => object, RegExp])[] = [
    ['an unknown state', 'running', snapshot => ({ ...snapshot, value: 'paused' }), /unknown state/],
    ['a nested state', 'running', snapshot => ({ ...snapshot, value: { running: 'x' } }), /unknown state/],
    ['a stopped actor', 'running', snapshot => ({ ...snapshot, status: 'stopped' }), /wrong status/],
    ['an actor in error', 'running', snapshot => ({ ...snapshot, status: 'error' }), /wrong status/],
    [
      'an exit that is still active',
      'exited',
      snapshot => ({ ...snapshot, status: 'active' }),
      /wrong status/,
    ],
    ['no context', 'running', snapshot => ({ ...snapshot, context: null }), /no context/],
    ['no children', 'running', snapshot => ({ ...snapshot, children: undefined }), /no children/],
    ['a task nobody watches', 'running', snapshot => ({ ...snapshot, children: {} }), /lost its actor watch/],
    [
      'a launch nobody makes',
      'launching',
      snapshot => ({ ...snapshot, children: {} }),
      /lost its actor launch/,
    ],
    [
      'a renamed actor',
      'running',
      snapshot => ({ ...snapshot, children: { watch: { src: 'look', snapshot: {} } } }),
      /lost its actor watch/,
    ],
    [
      'an unknown actor',
      'configured',
      snapshot => ({ ...snapshot, children: { pet: { src: 'pet', snapshot: {} } } }),
      /cannot have/,
    ],
    ['a history', 'running', snapshot => ({ ...snapshot, historyValue: { x: [] } }), /history/],
    [
      'an actor of another task',
      'running',
      snapshot => ({ ...snapshot, context: { ...snapshot.context, key: 'web-2' } }),
      /lost its actor watch/,
    ],
    [
      'an actor that has stopped',
      'running',
      snapshot => ({
        ...snapshot,
        children: { watch: { src: 'watch', snapshot: { status: 'stopped', input: { key: 'web-1' } } } },
      }),
      /lost its actor watch/,
    ],
    [
      'running without a start record',
      'running',
      snapshot => ({ ...snapshot, context: { ...snapshot.context, start: null } }),
      /without start/,
    ],
    [
      'a damaged start record',
      'running',
      snapshot => ({ ...snapshot, context: { ...snapshot.context, start: { task: { pid: 'x' } } } }),
      /damaged context \(start\./,
    ],
    [
      'stopping without a deadline',
      'stopping',
      snapshot => ({ ...snapshot, context: { ...snapshot.context, stop: null } }),
      /without stop/,
    ],
    [
      'exited without an outcome',
      'exited',
      snapshot => ({ ...snapshot, context: { ...snapshot.context, outcome: null } }),
      /without outcome/,
    ],
    ['limited in no way', 'limited', snapshot => ({ ...snapshot, value: 'limited' }), /unknown state/],
    [
      'limited in an unknown way',
      'limited',
      snapshot => ({ ...snapshot, value: { limited: 'waiting' } }),
      /unknown state/,
    ],
    [
      'two states at once',
      'limited',
      snapshot => ({ ...snapshot, value: { limited: 'ready', running: {} } }),
      /unknown state/,
    ],
    [
      'launching without a key',
      'launching',
      snapshot => ({ ...snapshot, context: { ...snapshot.context, key: null } }),
      /without key/,
    ],
    [
      'a missing field',
      'configured',
      snapshot => ({ ...snapshot, context: { ...snapshot.context, limits: undefined } }),
      /damaged context \(limits: takes true or false, got nothing\)/,
    ],
  ]
  for (const [what, phase, damage, reason] of damaged) {
    it(`quarantines a snapshot with ${what}, and says why`, () => {
      assert.match(reasonOf(envelope({ snapshot: damage(storedAt(phase)) })), reason)
    })
  }

  it('never throws, and takes nothing that is no envelope, on arbitrary JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), raw => {
        assert.ok('quarantine' in migrate(raw))
        assert.ok('quarantine' in migrate(envelope({ snapshot: raw })))
        assert.equal(typeof migrate(envelope({ version: raw, savedAt: raw })), 'object')
      }),
    )
  })

  it('restores whatever it takes, however a part was changed', () => {
    const paths = fc.constantFrom(...phases).chain(phase => {
      const text = JSON.stringify(storedAt(phase))
      return fc.tuple(
        fc.constant(text),
        fc.constantFrom(...leaves(JSON.parse(text))),
        fc.jsonValue({ maxDepth: 1 }),
      )
    })
    fc.assert(
      fc.property(paths, ([text, path, value]) => {
        const result = migrate(envelope({ snapshot: replaced(JSON.parse(text), path, value) }))
        if ('quarantine' in result) return
        const task = restoreTask(recordingMachine(), result.ok.snapshot).start()
        assert.notEqual(task.getSnapshot().status, 'error')
        task.stop()
      }),
    )
  })
})

describe('the chain of migrations', () => {
  const wrap: Migration = ({ wish, ...rest }) => ({ ...rest, spec: { wish } })
  const rename: Migration = ({ savedOn, ...rest }) => ({ ...rest, savedAt: savedOn })

  it('goes from each version to the newest, one step at a time', () => {
    const { spec: _s, savedAt, ...rest } = envelope()
    const first = { ...rest, version: 1, savedOn: savedAt, wish: 'x' }
    const second = { ...rest, version: 2, savedOn: savedAt, spec: { wish: 'x' } }
    const third = { ...rest, version: 3, savedAt, spec: { wish: 'x' } }
    for (const old of [first, second, third]) assert.deepEqual(migrate(old, [wrap, rename]), { ok: third })
  })

  it('does not change what it was given', () => {
    const raw = Object.freeze(envelope({ version: 1, wish: 'x' }))
    migrate(raw, [wrap])
    assert.equal(raw.version, 1)
  })

  it('quarantines what a step throws on, and what comes out damaged', () => {
    const failing: Migration = () => {
      throw new Error('no such field')
    }
    assert.match(reasonOf(envelope({ version: 1 }), [failing]), /from version 1 to 2.*no such field/)
    assert.match(reasonOf(envelope({ version: 1 }), [() => ({})]), /savedAt/)
    assert.match(reasonOf(envelope({ version: 4 }), [wrap, rename]), /knows up to 3/)
  })
})

type Path = readonly string[]

function leaves(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const below = Object.entries(value).flatMap(([key, child]) => leaves(child, [...path, key]))
  return path.length === 0 ? below : [path, ...below]
}

function replaced(root: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value
  const source = Object(root) as Record<string, unknown>
  const changed = replaced(source[key], rest, value)
  return Array.isArray(root) ? root.with(Number(key), changed) : { ...source, [key]: changed }
}
