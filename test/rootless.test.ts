import assert from 'node:assert/strict'
import { runTestsAsOrdinaryUser } from './support/ordinary-user.ts'
import { requires } from './support/requires.ts'

/**
 * Test files that mean something to an ordinary user, and how many of their tests must not be skipped there.
 */
const suites: readonly (readonly [title: string, files: readonly string[], least: number])[] = [
  ['the contract of the isolated executor', ['test/platform/contract.rootless.ts'], 70],
  ['the isolation of a task', ['test/platform/linux-task.test.ts'], 14],
  [
    'attacks on the root and the namespaces',
    ['test/attacks/escape.test.ts', 'test/attacks/shared-root.test.ts'],
    8,
  ],
  [
    'attacks on the shim, PID 1 and the control FIFO',
    ['test/attacks/init.test.ts', 'test/attacks/control.test.ts'],
    10,
  ],
  ['attacks on files and allocations', ['test/attacks/files.test.ts', 'test/attacks/alloc.test.ts'], 15],
  ['attacks on devices and logs', ['test/attacks/host-devices.test.ts', 'test/attacks/logs.test.ts'], 30],
  [
    'processes that will not die, and system calls',
    ['test/attacks/processes.test.ts', 'test/attacks/system-calls.test.ts'],
    20,
  ],
  ['attacks on what exec() brings into a task', ['test/attacks/inside.test.ts'], 9],
  [
    'a directory to work in, and attacks from it',
    ['test/platform/linux/workspace.test.ts', 'test/attacks/workspace.test.ts'],
    20,
  ],
  [
    'a directory to work in whose changes are kept apart, and attacks from it',
    [
      'test/platform/linux/overlay.test.ts',
      'test/platform/linux/overlay-patch.test.ts',
      'test/attacks/overlay.test.ts',
      'test/attacks/overlay-contents.test.ts',
      'test/cli/overlay.test.ts',
    ],
    30,
  ],
  ['programs that look whose a directory is', ['test/platform/linux/mounted-tools.test.ts'], 0],
  ['attacks of a task on its network rules', ['test/attacks/egress.test.ts'], 8],
  ['attacks of a task on what else its user has', ['test/attacks/own-user.test.ts'], 5],
  ['what was read back at the start', ['test/platform/in-force/at-the-start.test.ts'], 3],
  ['secrets', ['test/attacks/secrets.test.ts'], 8],
]

describe('as an ordinary user', function () {
  this.timeout(600_000)

  before(function () {
    // An ordinary user's own run has all of it in its place.
    requires(this, 'root', 'linux', 'native', 'ordinary-user')
  })

  for (const [title, files, least] of suites)
    it(`${title} pass`, async () => {
      const { passes, failures, said } = await runTestsAsOrdinaryUser(files)
      assert.deepEqual(
        failures.map(({ fullTitle, err }) => `${fullTitle}: ${err?.message}`),
        [],
        said.slice(-2000),
      )
      assert.ok(passes.length >= least, `only ${passes.length} tests ran; ${said}`)
    })
})
