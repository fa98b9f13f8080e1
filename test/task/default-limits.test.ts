import { strict as assert } from 'node:assert'
import { setCommand, Supervisor, type SupervisorOptions } from '../../src/index.ts'
import { skipped, whereAvailable } from '../../src/platform/rows.ts'
import { withDefaults } from '../../src/task/default-limits.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('default limits', () => {
  it('none: what the task names stays as it is, also when it names nothing', () => {
    assert.deepEqual(withDefaults(null, null, null), { resources: null, preferred: [] })
    const own = { pids: 5 }
    assert.equal(withDefaults(own, null, null).resources, own)
  })

  it('the task wins over the defaults, field by field, rlimit by rlimit, and by either name of memory', () => {
    const defaults = { pids: 9, memoryBytes: 2 ** 30, rlimits: { nofile: 10, core: 0 } }
    assert.deepEqual(withDefaults({ memoryMB: 5, rlimits: { nofile: 20 } }, defaults, null), {
      resources: { pids: 9, memoryMB: 5, rlimits: { nofile: 20, core: 0 } },
      preferred: [],
    })
    assert.deepEqual(withDefaults(null, defaults, null).resources, defaults)
  })

  it('a default for protected memory gives way to a smaller limit of the task', () => {
    const defaults = { memoryReserveBytes: 2 ** 28 }
    assert.deepEqual(withDefaults({ memoryMB: 16 }, defaults, null).resources, { memoryMB: 16 })
    assert.deepEqual(withDefaults({ memoryMB: 512 }, defaults, null).resources, {
      memoryMB: 512,
      ...defaults,
    })
  })

  it('what is preferred comes last, and is known by name', () => {
    assert.deepEqual(withDefaults(null, null, { pids: 4096 }), {
      resources: { pids: 4096 },
      preferred: ['pids'],
    })
    for (const [own, defaults] of [
      [{ pids: 3 }, null],
      [null, { pids: 3 }],
    ] as const)
      assert.deepEqual(withDefaults(own, defaults, { pids: 4096 }), { resources: { pids: 3 }, preferred: [] })
  })

  it('a preferred limit that the host lacks is told and is no shortfall; one that was asked for is', () => {
    const row = skipped({ name: 'pids', kind: 'limit', requested: '4096' }, 'no controller', 'mend it')
    const [told] = whereAvailable([row], ['pids'])
    assert.equal(told?.chosen, true)
    assert.equal(told?.reason, 'a default that does not hold here: no controller')
    assert.deepEqual(whereAvailable([row], []), [row])
  })
})

describe("a supervisor's defaults", () => {
  let stateDir: string
  beforeEach(() => {
    stateDir = temporaryDirectory('defaults')
  })
  afterEach(() => removeTemporary(stateDir))

  async function rowsOf(options: SupervisorOptions, basic: boolean): Promise<Map<string, string>> {
    const supervisor = new Supervisor({ stateDir, ...options })
    const task = supervisor.executor(basic ? 'basic' : undefined)
    setCommand(task, 'true', [])
    try {
      await task.start()
      await task.wait()
      return new Map(task.enforcement.map(({ name, status, requested }) => [name, `${status} ${requested}`]))
    } finally {
      await task.destroy()
      await supervisor.close()
    }
  }

  it('are limits like any other: rows of their own, refused under strict where they cannot be enforced', async () => {
    const rows = await rowsOf({ defaults: { wallTimeMs: 60_000, pids: 64 } }, true)
    assert.equal(rows.get('wallTimeMs'), 'enforced 60000')
    assert.equal(rows.get('pids'), 'skipped 64')
    await assert.rejects(rowsOf({ defaults: { pids: 64 }, strict: true }, true), { code: 'LIMIT_FAILED' })
  })

  it('are refused when they are no limits, by the name of the option', () => {
    for (const defaults of [{ pids: 0 }, { pid: 4 }, 'none'])
      assert.throws(() => new Supervisor({ stateDir, defaults: defaults as never }), {
        code: 'INVALID_ARGUMENT',
        message: /^defaults/,
      })
  })
})
