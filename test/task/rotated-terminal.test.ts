import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AllocDir } from '../../src/index.ts'
import { output, untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'

const logs = { maxBytes: 8192, maxFiles: 3 }

describe('a terminal whose log is rotated', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const platform of ['linux', 'basic'] as const)
    it(`keeps the newest lines without a gap, in files of that size and number (${platform})`, () =>
      withWorkbench(platform, async bench => {
        const alloc = new AllocDir(bench.directory('alloc'))
        await alloc.build(['one'])
        const task = bench.shell('i=0; while [ $i -lt 6000 ]; do echo line$i; i=$((i+1)); done')
        Object.assign(task.command, { terminal: { rows: 24, columns: 80 }, logs })
        await task.configureTaskDir('one', alloc)
        await task.start()
        const { exitCode, limitsHit } = await task.wait()
        assert.equal(exitCode, 0)
        assert.ok((limitsHit?.logBytesDropped ?? 0) > 0)
        const numbers = [...(await output(task)).matchAll(/line(\d+)\r\n/g)].map(([, number]) =>
          Number(number),
        )
        assert.equal(numbers.at(-1), 5999)
        const first = numbers[0] ?? 0
        assert.deepEqual(
          numbers,
          Array.from({ length: 6000 - first }, (_, at) => first + at),
        )
        const directory = join(alloc.sharedDir, 'logs')
        const files = readdirSync(directory).filter(name => name.startsWith('one.stdout'))
        assert.ok(files.length > 1 && files.length <= logs.maxFiles, files.join())
        for (const name of files) assert.ok(statSync(join(directory, name)).size <= logs.maxBytes, name)
      }))

  it('is resized after its log has been rotated, and says so in the newest file', () =>
    withWorkbench('linux', async bench => {
      const script = 'trap "stty size" WINCH; i=0; while [ $i -lt 3000 ]; do echo line$i; i=$((i+1)); done'
      const task = bench.shell(`${script}; echo ready; while :; do sleep 0.05; done`)
      Object.assign(task.command, { terminal: { rows: 24, columns: 80 }, logs })
      await task.start()
      await untilOutput(task, 'ready')
      await task.resize({ rows: 33, columns: 101 })
      await untilOutput(task, '33 101')
      await task.forceStop()
      assert.match(await output(task), /33 101\r\n/)
    }))
})
