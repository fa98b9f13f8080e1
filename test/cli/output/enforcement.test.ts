import { strict as assert } from 'node:assert'
import { enforcementLines } from '../../../src/cli/output/enforcement.ts'
import type { Enforcement } from '../../../src/index.ts'

describe('enforcementLines', () => {
  it('says in one line what holds', () => {
    const [line, ...others] = enforcementLines([
      limit('memoryBytes', String(64 * 1024 ** 2)),
      limit('pids', '32'),
      limit('outputBytes', '4096'),
      isolation('landlock', 'what the plan shows'),
      isolation('namespace.pid', 'own'),
      isolation('namespace.uts', 'own'),
      isolation('user', 'nobody'),
    ])
    assert.deepEqual(line, {
      label: 'enforced',
      text: 'memory 64 MiB, pids 32, output 4 KiB, Landlock, user nobody, own pid+uts namespaces',
      hint: null,
    })
    assert.deepEqual(others, [])
  })

  it('says so where nothing holds', () => {
    assert.deepEqual(enforcementLines([]), [
      { label: 'enforced', text: 'nothing: neither limits nor isolation', hint: null },
    ])
  })

  it('lists what falls short once per reason, with its mend', () => {
    const why = { status: 'skipped', reason: 'no controller', hint: 'mount it', chosen: false } as const
    const lines = enforcementLines([
      { ...limit('pids', '32'), ...why },
      { ...limit('cpu', '500'), ...why },
      {
        ...limit('memoryBytes', '1024'),
        status: 'weakened',
        reason: 'no swap accounting',
        hint: null,
        chosen: false,
      },
    ])
    assert.deepEqual(lines.slice(1), [
      { label: 'skipped', text: 'pids 32, 500 cpu shares: no controller', hint: 'mount it' },
      { label: 'weakened', text: 'memory 1 KiB: no swap accounting', hint: null },
    ])
  })

  it('is silent about what was loosened on purpose', () => {
    const rows = ["the default: the task uses the host's network", 'asked for'].map(
      (reason): Enforcement => ({ ...isolation('network', 'host'), status: 'skipped', reason }),
    )
    assert.equal(enforcementLines(rows).length, 1)
  })
})

function limit(name: string, requested: string): Enforcement {
  return { name, kind: 'limit', requested, status: 'enforced', reason: null, hint: null, chosen: true }
}

function isolation(name: string, requested: string): Enforcement {
  return { ...limit(name, requested), kind: 'isolation' }
}
