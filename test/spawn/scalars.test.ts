import { strict as assert } from 'node:assert'
import type { Command } from '../../src/api.ts'
import { portableRows } from '../../src/platform/basic/portable-rows.ts'
import { type ScalarField, scalarFields, scalars, scalarsOf } from '../../src/spawn/scalars.ts'
import { minimalSpec, fullSpec, launchFields } from '../support/launch-spec.ts'

describe('the fields of Command that are one word', () => {
  const command = (changes: Partial<Command>): Command => ({ path: 'x', args: [], env: {}, ...changes })

  it('are null where they are not asked for, also where their value is 0', () => {
    assert.ok(scalarFields.length > 0)
    assert.deepEqual(Object.keys(scalarsOf(command({}))), scalarFields)
    assert.ok(Object.values(scalarsOf(command({}))).every(value => value === null))
    assert.equal(scalarsOf(command({ nice: 0 })).nice, 0)
  })

  for (const field of scalarFields) {
    it(`${field} reaches the shim by its option, and is left out otherwise`, () => {
      const { option } = scalars[field]
      const written = launchFields(fullSpec)
      assert.equal(written[written.indexOf(option) + 1], String(fullSpec[field]))
      assert.ok(!launchFields(minimalSpec).includes(option))
    })

    for (const platform of ['linux', 'darwin', 'win32'])
      it(`${field} is honoured by the portable shim on ${platform}, or has a row that says what becomes of it`, () => {
        const only = { ...minimalSpec, umask: 0o022, [field]: fullSpec[field] }
        const rows = portableRows(only, platform, platform === 'linux')
        const short = scalars[field].portable({ platform, hasOomScore: platform === 'linux' })
        assert.deepEqual(
          rows.map(({ name, requested, status, reason }) => [name, requested, status, reason]),
          short === null ? [] : [[field, String(fullSpec[field]), short.status, short.reason]],
        )
        assert.deepEqual(portableRows({ ...minimalSpec, umask: 0o022 }, platform, false), [])
      })
  }

  it('have rows for what Node cannot do on a host', () => {
    const status = (field: ScalarField, platform: string, hasOomScore: boolean) =>
      scalars[field].portable({ platform, hasOomScore })?.status ?? 'enforced'
    assert.equal(status('nice', 'win32', false), 'weakened')
    assert.equal(status('nice', 'darwin', false), 'enforced')
    assert.equal(status('oomScoreAdj', 'linux', true), 'enforced')
    assert.equal(status('oomScoreAdj', 'linux', false), 'skipped')
    assert.equal(status('cpuPolicy', 'linux', true), 'skipped')
  })
})
