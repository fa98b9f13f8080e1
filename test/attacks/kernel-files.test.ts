import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { strongest, taskUsers } from '../support/identity.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { asRoot, requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'
import { attacker, verdicts } from './hostile.ts'

/**
 * Own processes and threads apart, nothing of /proc opens for writing; these harmless ones, where a kernel
 * has them.
 */
const allowed = new Set<string>()

/** In which nobody can say a word without CAP_NET_ADMIN, or which only describe addresses and routes. */
const protocols = ['0', '6', '12']

describe('attack: kernel files and sockets that are open to all', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const user of taskUsers)
    it(`nothing below /proc opens for writing but what is the process's own (user ${user})`, () =>
      withWorkbench('linux', async bench => {
        const opened = Object.keys(await verdicts(attacker(bench, 'writable', ['/proc'], { user })))
        assert.deepEqual(
          opened.filter(path => !allowed.has(path)),
          [],
        )
      }))

  it(
    'control: in the host’s root much of it opens for root',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const loosened = { user: strongest, root: 'host', namespaces: { mount: false } } as const
        const opened = Object.keys(await verdicts(attacker(bench, 'writable', ['/proc'], loosened)))
        assert.ok(opened.includes('/proc/sys/kernel/core_pattern'))
      }),
    ),
  )

  it('no pressure trigger can be made, thousands of which keep a killed task from ending', function () {
    if (!existsSync('/proc/pressure/cpu')) this.skip()
    return withWorkbench('linux', async bench => {
      for (const user of taskUsers) {
        const task = attacker(bench, 'triggers', [], { user })
        await task.start()
        await untilOutput(task, 'ready')
        assert.equal((await output(task, 'stdout')).split('\n')[0], '0')
        await task.forceStop()
      }
    })
  })

  it('control: with the host’s /proc the first trigger is made', function () {
    if (!existsSync('/proc/pressure/cpu')) this.skip()
    requires(this, 'root')
    return withWorkbench('linux', async bench => {
      const task = attacker(bench, 'triggers', [], { root: 'host', namespaces: { mount: false } })
      await task.limit({ rlimits: { nofile: 5 } })
      await task.start()
      await untilOutput(task, 'ready')
      assert.notEqual((await output(task, 'stdout')).split('\n')[0], '0')
      await task.forceStop()
    })
  })

  it('of netlink there are addresses and routes, and what asks for a capability at every word', () =>
    withWorkbench('linux', async bench => {
      const seen = await verdicts(attacker(bench, 'netlink'))
      const open = Object.keys(seen).filter(protocol => seen[protocol] === 'ok')
      assert.deepEqual(
        open.filter(protocol => !protocols.includes(protocol)),
        [],
      )
      assert.equal(seen['0'], 'ok')
      assert.equal(seen['15'], 'EPROTONOSUPPORT')
    }))

  it('control: without the filter there is more of it', () =>
    withWorkbench('linux', async bench => {
      const seen = await verdicts(attacker(bench, 'netlink', [], { seccomp: 'off' }))
      assert.equal(seen['15'], 'ok')
    }))

  it('names and addresses are still found', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('getent ahosts localhost | head -1')
      assert.match(await outputOf(task), /127\.0\.0\.1|::1/)
    }))
})
