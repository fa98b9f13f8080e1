import { strict as assert } from 'node:assert'
import { outputOf } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'

/** proc_pid_stat(5), field 41: sched(7) has 0 for other, 3 for batch, 5 for idle. */
const print = 'read -r line < /proc/self/stat; set -- ${line##*) }; shift 38; echo $1'

describe('the scheduling policy of a task', () => {
  before(function () {
    requires(this, 'native')
  })

  for (const [policy, number] of [
    [undefined, '0'],
    ['other', '0'],
    ['batch', '3'],
    ['idle', '5'],
  ] as const)
    it(`${policy ?? 'that asks for none'} is ${number} to the kernel`, () =>
      withWorkbench('basic', async bench => {
        const task = bench.shell(print)
        if (policy !== undefined) task.command.cpuPolicy = policy
        assert.equal((await outputOf(task)).trim(), number)
      }))
})
