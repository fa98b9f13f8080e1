import { strict as assert } from 'node:assert'
import { execa } from 'execa'
import { compiled } from '../support/compiled.ts'
import { type Need, requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

const asked = Number(process.env.HOLDFAST_LEAK_TASKS ?? (process.env.CI === undefined ? 300 : 5000))
/**
 * What code still comes to in the last third, and what the collector may leave of each task for a while. One
 * ended task that is held costs three KiB at least: a third of a hundred tasks, the fewest here, would come
 * to more.
 */
const slackBytes = (tasks: number) => 256 * 1024 + 64 * tasks
/** Code that is made more of as it runs hotter would look like a leak. */
const steady = ['--expose-gc', '--no-opt', '--no-sparkplug', '--no-lazy-feedback-allocation']

const platforms: readonly [name: 'basic' | 'linux', tasks: number, needs: Need[]][] = [
  ['basic', asked, ['linux', 'native']],
  ['linux', Math.max(300, Math.ceil(asked / 10)), ['linux', 'native', 'root']],
]

describe('a supervisor through which many tasks have passed', () => {
  for (const [platform, tasks, needs] of platforms) {
    it(`holds no more at the end than after the first third: ${tasks} ${platform} tasks`, async function () {
      requires(this, ...needs)
      this.timeout(60_000 + tasks * 1000)
      const stateDir = temporaryDirectory('leak')
      const { samples, results } = await pass(platform, tasks, stateDir)
      const [first, middle, last] = samples
      assert.ok(first !== undefined && middle !== undefined && last !== undefined)
      assert.deepEqual(middle.flat, first.flat, 'after two thirds')
      assert.deepEqual(last.flat, first.flat, 'at the end')
      assert.equal(last.flat.held, 1, 'the one that stays')
      const grown = last.heap - middle.heap
      assert.ok(grown < slackBytes(tasks / 3), `the heap has grown by ${grown} bytes in the last third`)
      assert.equal(results, 3 * Math.ceil(tasks / 3) + 1, 'one result per task')
      removeTemporary(stateDir)
    })
  }
})

type Sample = { readonly heap: number; readonly flat: Readonly<Record<string, number>> }
type Report = { readonly samples: Sample[]; readonly results: number; readonly transitions: number }

async function pass(platform: string, tasks: number, stateDir: string): Promise<Report> {
  const program = compiled('test/fixtures/programs/leak.ts')
  const { stdout, stderr } = await execa(
    process.execPath,
    [...steady, program, platform, String(tasks), stateDir],
    { stdin: 'ignore' },
  )
  // A warning of too many listeners, for one.
  assert.equal(stderr, '')
  return JSON.parse(stdout) as Report
}
