import { strict as assert } from 'node:assert'
import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AllocDir } from '../../../src/index.ts'
import { output, outputOf } from '../../support/output.ts'
import { refuses } from '../../support/refuses.ts'
import { keyOf } from '../../support/task-key.ts'
import type { Section } from './adapter.ts'

const tenMegabytes = 10 * 1024 * 1024

export const logs: Section = check => {
  check('keeps standard output and standard error apart, in alloc/logs', async bench => {
    const task = bench.shell('echo out; echo err >&2')
    assert.equal(await outputOf(task), 'out\n')
    assert.equal(await output(task, 'stderr'), 'err\n')
    const at = join(bench.stateDir, 'allocs', keyOf(task), 'alloc/logs')
    assert.equal(readFileSync(join(at, 'sh.stdout'), 'utf8'), 'out\n')
    assert.equal(readFileSync(join(at, 'sh.stderr'), 'utf8'), 'err\n')
  })

  check('writes large output whole, and appends that of a later task with the same log', async bench => {
    const path = join(bench.directory('log'), 'out.log')
    for (const size of [tenMegabytes, 2 * tenMegabytes]) {
      const task = bench.command('/usr/bin/head', '-c', `${tenMegabytes}`, '/dev/zero')
      task.command.stdout = path
      await task.start()
      assert.equal((await task.wait()).logsComplete, true)
      assert.equal(statSync(path).size, size)
    }
  })

  check('streams large output whole while it is being written', async bench => {
    const task = bench.shell(
      'i=0; while [ $i -lt 30 ]; do i=$((i+1)); head -c 100000 /dev/zero | tr "\\0" x; done; echo end',
    )
    await task.start()
    const all = await output(task, 'stdout', { follow: true })
    assert.equal(all.length, 3_000_004)
    assert.ok(all.endsWith('xend\n'))
  })

  check(
    'follows from the first byte to the last and then completes, for any number of readers',
    async bench => {
      const task = bench.shell('for i in 1 2 3 4 5; do echo line $i; sleep 0.05; done; printf unfinished')
      await task.start()
      const expected = 'line 1\nline 2\nline 3\nline 4\nline 5\nunfinished'
      assert.deepEqual(await Promise.all([1, 2, 3].map(() => output(task, 'stdout', { follow: true }))), [
        expected,
        expected,
        expected,
      ])
      assert.equal(await output(task, 'stdout', { follow: true }), expected)
    },
  )

  check('begins with the last lines where a tail is asked for', async bench => {
    const task = bench.command('/usr/bin/seq', '1', '1000')
    assert.equal((await outputOf(task)).length, 3893)
    assert.equal(await output(task, 'stdout', { tail: 3 }), '998\n999\n1000\n')
    assert.equal(await output(task, 'stdout', { tail: 0 }), '')
    assert.equal((await output(task, 'stdout', { tail: 5000 })).length, 3893)
    assert.equal(await output(task, 'stdout', { fromStart: false }), '')
  })

  check('lets the task open its own output again by name', async bench => {
    assert.equal(
      await outputOf(bench.shell('echo one; echo two >> /dev/stdout; echo three >> /proc/self/fd/1')),
      'one\ntwo\nthree\n',
    )
  })

  check('does not write through a link that lies where a log will be opened', async bench => {
    const alloc = new AllocDir(bench.directory('alloc'))
    await alloc.build(['victim'])
    const precious = join(bench.directory('precious'), 'file')
    writeFileSync(precious, 'precious')
    symlinkSync(precious, join(alloc.sharedDir, 'logs/victim.stdout'))
    const task = bench.shell('echo overwritten')
    await task.configureTaskDir('victim', alloc)
    await refuses(task.start(), { code: 'START_FAILED', stage: 'log', errno: 'ELOOP' })
    assert.equal(readFileSync(precious, 'utf8'), 'precious')
  })
}
