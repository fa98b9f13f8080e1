import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { adapters, type Check, checks, runCheck } from '../../src/conformance/index.ts'
import { isRoot } from '../support/identity.ts'
import { ordinaryUid, runTestsAsOrdinaryUser } from '../support/ordinary-user.ts'
import { requires } from '../support/requires.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { withVariable } from '../support/variable.ts'

/** What may be skipped where everything can be enforced, and why: these adapters do not promise it. */
const unpromised: Readonly<Record<string, RegExp>> = {
  basic: /the basic executor (promises no|has no)/,
  'basic, portable':
    /the basic executor (promises no|has no)|the portable shim (measures nothing|kills the process group only)/,
}

describe('the conformance suite', function () {
  this.timeout(120_000)

  for (const adapter of adapters)
    describe(`on ${adapter.name}`, () => {
      before(function () {
        if (adapter.native) requires(this, 'linux', 'native')
      })
      for (const check of checks)
        it(check.name, async () => {
          const { status, why } = await runCheck(adapter, check)
          if (status === 'skipped') {
            const expected = unpromised[adapter.name] ?? (isRoot ? /^$/ : /./)
            assert.match(why ?? '', expected, 'a skip that this host has no reason for')
            return
          }
          assert.deepEqual({ status, why }, { status: 'passed', why: null })
        })
    })

  describe('itself', () => {
    const [adapter = assert.fail()] = adapters.slice(-1)
    const check = (run: Check['run']): Check => ({ name: 'made up', group: 'results', run })

    it('calls a broken promise failed, and says how', async () => {
      const row = await runCheck(
        adapter,
        check(async bench => {
          const task = bench.shell('exit 3')
          await task.start()
          assert.equal((await task.wait()).exitCode, 4)
        }),
      )
      assert.equal(row.status, 'failed')
      assert.match(row.why ?? '', /3 !== 4|strictly equal/)
    })

    it('leaves no task and no directory behind, whatever becomes of a check', async () => {
      // Of its own: another program may be at its checks in the usual place.
      const place = temporaryDirectory('checks')
      await withVariable('TMPDIR', place, async () => {
        const row = await runCheck(
          adapter,
          check(async bench => {
            assert.equal(dirname(bench.stateDir), place)
            await bench.shell('sleep 600').start()
            throw new Error('in the middle')
          }),
        )
        assert.deepEqual([row.status, row.why], ['failed', 'in the middle'])
        assert.deepEqual(
          readdirSync(place).filter(name => name.startsWith('holdfast-conformance-')),
          [],
        )
      })
    })
  })
})

describe('the conformance suite, for an ordinary user', function () {
  this.timeout(600_000)

  it(`passes as user ${ordinaryUid}`, async function () {
    requires(this, 'root', 'linux', 'native', 'ordinary-user')
    const { passes, failures } = await runTestsAsOrdinaryUser(['test/conformance/conformance.test.ts'])
    assert.deepEqual(
      failures.map(({ fullTitle, err }) => `${fullTitle}: ${err?.message}`),
      [],
    )
    assert.ok(passes.length > 50, `${passes.length} passed`)
  })
})
