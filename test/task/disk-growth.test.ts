import { strict as assert } from 'node:assert'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Executor } from '../../src/index.ts'
import { output, untilOutput } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { directoryOf, keyOf } from '../support/task-key.ts'
import { withWorkbench } from '../support/workbench.ts'

const MiB = 1024 * 1024
const diskBytes = 4 * MiB

const rowOf = (task: Executor) => task.enforcement.find(({ name }) => name === 'diskBytes')

describe('diskBytes of a running task', () => {
  before(function () {
    requires(this, 'root', 'linux', 'native', 'disk', 'resize')
  })

  it('grows while the task runs, which keeps what it has; and no further than that', () =>
    withWorkbench('linux', async bench => {
      const script = `fill() { dd if=/dev/zero of=/local/$1 bs=64k count=$2 2>/dev/null && echo "all $1" || echo "full $1"; }
        echo kept >/local/kept; fill first 1000; rm /local/first
        until [ -e /local/go ]; do sleep 0.02; done; fill second 400; fill third 1000; cat /local/kept`
      const task = bench.shell(script)
      await task.limit({ diskBytes })
      await task.start()
      await untilOutput(task, 'full first')
      // Of a file system of small blocks, to many times its size.
      await task.update({ diskBytes: 64 * MiB, pids: 50 })
      assert.deepEqual([rowOf(task)?.requested, rowOf(task)?.status], [`${64 * MiB}`, 'enforced'])
      writeFileSync(join(bench.stateDir, 'allocs', keyOf(task), 'sh', 'local', 'go'), '')
      await task.wait()
      assert.equal(await output(task), 'full first\nall second\nfull third\nkept\n')
      assert.equal(statSync(join(directoryOf(task), 'disk.img')).size, 64 * MiB)
      await task.destroy()
    }))

  it('that has grown is told, where the other limits of the call are refused', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('/bin/sleep', '1000')
      await task.limit({ diskBytes })
      await task.start()
      await refuses(task.update({ diskBytes: 2 * diskBytes, cpuset: '900' }), {
        message: new RegExp(`; diskBytes is ${2 * diskBytes} already$`),
      })
      await task.update({ diskBytes: 2 * diskBytes })
      assert.equal(rowOf(task)?.requested, `${2 * diskBytes}`)
    }))
})
