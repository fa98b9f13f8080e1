import { strict as assert } from 'node:assert'
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, constants, existsSync, openSync, readSync, symlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { AllocDir } from '../../../src/index.ts'
import { eventually } from '../../support/eventually.ts'
import { output, outputOf, untilOutput } from '../../support/output.ts'
import { statOf } from '../../support/process-stat.ts'
import type { Section } from './adapter.ts'

/** Where these tests look, which may be hidden from the library (test/hidden/run). */
const proc = process.env.HOLDFAST_TEST_PROC ?? '/proc'

export const fifos: Section = (check, { native }) => {
  check('writes to a FIFO that has no reader yet, and outlives its readers', ['fifos'], async bench => {
    const fifo = join(bench.directory('fifo'), 'out')
    execFileSync('mkfifo', ['-m', '600', fifo])
    const task = bench.shell('echo one; read wait; echo two; read wait; echo three')
    const feed = new Readable({ read() {} })
    Object.assign(task.command, { stdout: fifo, stdin: feed })
    await task.start()
    const first = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
    assert.equal(await untilRead(first, '\n'), 'one\n')
    closeSync(first)
    feed.push('\n')
    await sleep(50)
    assert.equal(task.state, 'running', 'it does not die of a missing reader')
    const second = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      assert.equal(await untilRead(second, '\n'), 'two\n')
      feed.push('\n')
      const result = task.wait()
      assert.equal(await untilRead(second, '\n'), 'three\n')
      assert.equal((await result).exitCode, 0)
      // The portable shim cannot see whether it has been read.
      assert.equal((await result).logsComplete, native)
    } finally {
      closeSync(second)
    }
    await assert.rejects(output(task), { code: 'UNSUPPORTED' })
  })

  check(
    'starts without the writer of a FIFO that it reads, and reads to the end of who comes later',
    ['fifos'],
    async bench => {
      const fifo = join(bench.directory('fifo'), 'in')
      execFileSync('mkfifo', [fifo])
      const link = join(bench.directory('fifo'), 'link')
      symlinkSync(fifo, link)
      const task = bench.shell('echo on; if [ -e /dev/stdin ]; then cat /dev/stdin; else cat; fi; echo end')
      task.command.stdin = link
      await task.start()
      await untilOutput(task, 'on')
      assert.equal(task.state, 'running')
      const writer = await untilWriter(fifo)
      writeSync(writer, 'at last\n')
      await untilOutput(task, 'at last')
      assert.equal(task.state, 'running')
      closeSync(writer)
      await task.wait()
      assert.equal(await output(task), 'on\nat last\nend\n')
    },
  )

  check(
    'reads a FIFO that it is given as it is: without a writer it is at its end',
    ['fifos'],
    async bench => {
      const fifo = join(bench.directory('fifo'), 'in')
      execFileSync('mkfifo', [fifo])
      const fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
      const left = openSync(fifo, constants.O_WRONLY)
      writeSync(left, 'left behind\n')
      closeSync(left)
      for (const expected of ['left behind\nend\n', 'end\n']) {
        const task = bench.shell('cat; echo end')
        task.command.stdin = `fd:${fd}`
        assert.equal(await outputOf(task), expected)
      }
      closeSync(fd)
    },
  )

  check('writes to a FIFO of ours in the place of its log, without a reader', ['fifos'], async bench => {
    const alloc = new AllocDir(join(bench.directory('alloc'), 'a'))
    await alloc.build(['web'])
    const fifo = join(alloc.sharedDir, 'logs', 'web.stdout')
    execFileSync('mkfifo', ['-m', '600', fifo])
    const task = bench.shell('echo one; read wait')
    const feed = new Readable({ read() {} })
    task.command.stdin = feed
    await task.configureTaskDir('web', alloc)
    await task.start()
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
    assert.equal(await untilRead(reader, '\n'), 'one\n')
    closeSync(reader)
    feed.push(null)
    await task.wait()
    await task.destroy()
    await alloc.destroy()
  })

  check(
    'is never without a writer once a waiting reader of its FIFO has been woken',
    ['fifos'],
    async bench => {
      const fifo = join(bench.directory('fifo'), 'out')
      execFileSync('mkfifo', ['-m', '600', fifo])
      // Each waits in open(2), as Nomad's log collector does, and sees the end where it finds no writer.
      for (let round = 0; round < 3; round++) {
        const readers = Array.from({ length: 8 }, () =>
          spawn('/bin/cat', [fifo], { stdio: ['ignore', 'pipe', 'inherit'] }),
        )
        const read = Promise.all(readers.map(({ stdout }) => text(stdout)))
        await Promise.all(readers.map(({ pid }) => untilOpening(pid ?? 0)))
        const task = bench.shell('read wait; echo read')
        const feed = new Readable({ read() {} })
        Object.assign(task.command, { stdout: fifo, stdin: feed })
        await task.start()
        await sleep(100)
        const ended = readers.filter(({ exitCode }) => exitCode !== null)
        feed.push('\n')
        await task.wait()
        assert.equal((await read).join(''), 'read\n')
        assert.equal(ended.length, 0, 'none has seen an end while the task was running')
      }
    },
  )

  check('says that a log is not complete when nobody has read it from the FIFO', ['fifos'], async bench => {
    const fifo = join(bench.directory('fifo'), 'out')
    execFileSync('mkfifo', ['-m', '600', fifo])
    const task = bench.shell('echo unread')
    task.command.stdout = fifo
    await task.start()
    assert.deepEqual(
      await task.wait().then(({ exitCode, evidence, logsComplete }) => [exitCode, evidence, logsComplete]),
      [0, 'record', false],
    )
  })
}

/**
 * Waits until a `cat` waits in open(2) for the other end of a FIFO: it sleeps nowhere else. Where no /proc
 * tells, two seconds have to do.
 */
async function untilOpening(pid: number): Promise<void> {
  if (!existsSync(`${proc}/self`)) return sleep(2000)
  await eventually(() => {
    const { name, state } = statOf(pid, proc) ?? assert.fail('it has ended')
    assert.deepEqual([name, state], ['cat', 'S'])
  })
}

/** Opened for writing when somebody reads. */
async function untilWriter(fifo: string): Promise<number> {
  let writer = -1
  await eventually(() => {
    writer = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK)
  })
  return writer
}

/**
 * Reads until the text is there. Non-blocking: a blocking read of a FIFO would take one of Node's four
 * threads.
 */
async function untilRead(fd: number, text: string): Promise<string> {
  const block = Buffer.alloc(4096)
  let seen = ''
  while (!seen.includes(text)) {
    try {
      seen += block.toString('utf8', 0, readSync(fd, block))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
    await sleep(5)
  }
  return seen
}
