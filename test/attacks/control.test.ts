import assert from 'node:assert/strict'
import { closeSync, constants, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'
import { attacker, newMark, wearing } from './hostile.ts'

describe('attack: what the shim reads', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  it('rubbish on the control FIFO, however much, neither stops the task nor deafens the shim nor fills its log', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('echo ready; sleep 60')
      await task.start()
      await untilOutput(task, 'ready')
      const [key = ''] = bench.keys()
      const directory = join(bench.stateDir, 'tasks', key)
      const fd = openSync(join(directory, 'control'), constants.O_WRONLY)
      const rubbish = [
        'kil',
        'kill -1',
        'signal 9 9',
        'signal 65',
        'signal -9',
        'stop 9',
        `kill${' '.repeat(300)}`,
        '\0kill',
        'kill\0',
      ]
      const block = Buffer.from(`${rubbish.join('\n')}\n`)
      for (let written = 0; written < 300_000; written += block.length) writeSync(fd, block)
      closeSync(fd)
      assert.equal(task.state, 'running')
      assert.ok(statSync(join(directory, 'shim.log')).size < 16_384)
      const { cause, signal } = await task.forceStop()
      assert.deepEqual({ cause, signal }, { cause: 'forced', signal: 'SIGKILL' })
    }))

  it('a line that was never ended does not swallow the next order', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('echo ready; sleep 60')
      await task.start()
      await untilOutput(task, 'ready')
      const [key = ''] = bench.keys()
      const fd = openSync(join(bench.stateDir, 'tasks', key, 'control'), constants.O_WRONLY)
      writeSync(fd, 'x'.repeat(60_000))
      closeSync(fd)
      assert.equal((await task.forceStop()).cause, 'forced')
    }))

  it('names with control characters and markup reach neither the record’s shape nor the hostname', () =>
    withWorkbench('linux', async bench => {
      const name = '"},"exitCode":0,"x":{"\n; reboot'
      const mark = newMark()
      const task = attacker(bench, 'immortal', [mark, '1', '60'])
      task.command.argv0 = name
      task.command.env = { [`X${name.replace('=', '')}`]: name }
      await task.start()
      await untilOutput(task, 'ready')
      const [key = ''] = bench.keys()
      const record = JSON.parse(readFileSync(join(bench.stateDir, 'tasks', key, 'start.json'), 'utf8'))
      assert.equal(record.format, 'holdfast.start')
      const { signal } = await task.forceStop()
      assert.equal(signal, 'SIGKILL')
      assert.deepEqual(wearing(mark), [])
    }))

  it('a hostname that is none is refused before anything starts', () =>
    withWorkbench('linux', async bench => {
      for (const hostname of ['a\nb', 'a b', '', 'a'.repeat(65), 'a/../b', 'a\0']) {
        const task = bench.shell('true')
        task.command.hostname = hostname
        await assert.rejects(
          task.start(),
          { name: 'HoldfastError', code: 'INVALID_ARGUMENT' },
          JSON.stringify(hostname),
        )
      }
    }))
})
