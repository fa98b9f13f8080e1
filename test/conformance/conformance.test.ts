import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { adapters, type Check, checks, runCheck } from '../../src/conformance/index.ts'
import { requires } from '../support/requires.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { withVariable } from '../support/variable.ts'

describe('the conformance suite', function () {
  this.timeout(120_000)

  const [, basic = assert.fail()] = adapters
  for (const check of checks.filter(({ group }) => group === 'isolation' || group === 'limits'))
    it(`skips what the basic executor does not promise: ${check.name}`, async function () {
      requires(this, 'linux', 'native')
      const { status, why } = await runCheck(basic, check)
      if (status !== 'passed') assert.match(why ?? '', /the basic executor (promises no|has no)/)
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
