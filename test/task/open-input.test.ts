import assert from 'node:assert/strict'
import type { Writable } from 'node:stream'
import { HoldfastError } from '../../src/index.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { withVariable } from '../support/variable.ts'
import { withWorkbench } from '../support/workbench.ts'

const terminal = { rows: 24, columns: 80 }

const given = (input: Writable, text: string) =>
  new Promise<void>(resolve => input.write(text, () => resolve()))

for (const platform of ['linux', 'basic'] as const)
  describe(`a standard input that stays open (${platform})`, () => {
    before(function () {
      requires(this, 'isolation', 'linux', 'native')
    })

    it('is a terminal that has a name where the task looks for it, also in an exec session', () =>
      withWorkbench(platform, async bench => {
        const task = bench.shell('tty; test -c "$(tty)" && test -r "$(tty)" && tty </dev/tty; sleep 600')
        task.command.terminal = terminal
        await task.start()
        assert.match(await untilOutput(task, '/dev/tty'), /^\/dev\/pts\/\d+\r\n\/dev\/tty/)
        const session = bench.shellIn(task, 'test -c "$(tty)" && tty && stty size')
        session.command.terminal = { rows: 7, columns: 33 }
        assert.match(await outputOf(session), /^\/dev\/pts\/\d+\r\n7 33\r\n$/)
      }))

    it('is typed into, resized and told an end by supervisors that have not started the task, when the first is gone', () =>
      withWorkbench(platform, async bench => {
        const task = bench.shell('read -r line; echo "got $line"; stty size; cat; echo ended; exit 3')
        task.command.terminal = terminal
        await task.start()
        const id = task.id()
        await bench.supervisor.close()
        const [one, two] = await Promise.all([bench.another().open(id), bench.another().open(id)])
        await one.resize({ rows: 10, columns: 20 })
        const input = one.openInput()
        await given(input, 'first\n')
        await untilOutput(two, '10 20\r\n')
        // Who lets go ends nothing.
        input.end()
        await given(two.openInput(), 'a line that has begun')
        await two.endInput()
        assert.equal((await two.wait()).exitCode, 3)
        assert.match(await output(one), /got first\r\n10 20\r\n[^]*begun[^]*ended\r\n$/)
      }))

    it('is a pipe without a terminal: all that several writers have written is there before the end', () =>
      withWorkbench(platform, async bench => {
        const task = bench.command('/bin/cat')
        task.command.stdin = 'attach'
        await task.start()
        const other = await bench.another().open(task.id())
        const line = (name: string) => `${name.repeat(99)}\n`
        await Promise.all([
          given(task.openInput(), line('a').repeat(600)),
          given(other.openInput(), line('b').repeat(600)),
        ])
        await other.endInput()
        assert.equal((await task.wait()).exitCode, 0)
        const text = await output(task)
        for (const name of ['a', 'b']) assert.equal(text.split(name).length - 1, 600 * 99)
        assert.throws(() => task.openInput(), { code: 'INVALID_STATE' })
      }))

    it('is at its end for good when the end has been told, and says so', () =>
      withWorkbench(platform, async bench => {
        const task = bench.shell('cat; echo over; sleep 600')
        task.command.stdin = 'attach'
        await task.start()
        await task.endInput()
        await untilOutput(task, 'over')
        assert.throws(() => task.openInput(), {
          code: 'INVALID_STATE',
          message: 'the standard input of the task is at its end',
        })
      }))

    it('holds up nobody when the task does not read it', () =>
      withWorkbench(platform, async bench => {
        const task = bench.shell('trap "echo asked; exit 0" TERM; echo ready; while :; do sleep 0.02; done')
        task.command.terminal = terminal
        await task.start()
        await untilOutput(task, 'ready')
        const input = task.openInput()
        input.write('x'.repeat(1_000_000))
        assert.equal((await task.shutdown({ graceMs: 20_000 })).exitCode, 0)
        assert.match(await output(task), /asked/)
      }))

    it('is refused where the task was not started with one', () =>
      withWorkbench(platform, async bench => {
        const task = bench.command('/bin/sleep', '600')
        await task.start()
        assert.throws(
          () => task.openInput(),
          (error: unknown) =>
            error instanceof HoldfastError &&
            error.code === 'UNSUPPORTED' &&
            error.message.includes('command.stdin was "null"') &&
            /-t, or with -i --detach/.test(error.hint ?? ''),
        )
        await assert.rejects(task.endInput(), { code: 'UNSUPPORTED' })
      }))
  })

it('a portable shim refuses a terminal and an open standard input, by their fields', () =>
  withVariable('HOLDFAST_NATIVE', 'off', () =>
    withWorkbench('basic', async bench => {
      for (const [asked, field] of [
        [{ terminal }, 'command.terminal'],
        [{ stdin: 'attach' }, 'command.stdin'],
      ] as const) {
        const task = bench.command('/bin/true')
        Object.assign(task.command, asked)
        await assert.rejects(task.start(), {
          code: 'UNSUPPORTED',
          message: new RegExp(`^${field}: only the native`),
        })
      }
    }),
  ))
