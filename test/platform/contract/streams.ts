import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type Executor } from '../../../src/index.ts'
import { startFixture } from '../../support/fixture.ts'
import { output, outputOf, untilOutput } from '../../support/output.ts'
import { refuses } from '../../support/refuses.ts'
import { keyOf } from '../../support/task-key.ts'
import type { Workbench } from '../../support/workbench.ts'
import type { Section } from './adapter.ts'

/** What `seq` prints. */
const numbers = (from: number, to: number): string => {
  let text = ''
  for (let number = from; number <= to; number++) text += `${number}\n`
  return text
}

function logFiles(bench: Workbench, task: Executor): Map<string, number> {
  const at = join(bench.stateDir, 'allocs', keyOf(task), 'alloc/logs')
  return new Map(readdirSync(at).map(name => [name, statSync(join(at, name)).size]))
}

export const streams: Section = (check, { platform }) => {
  check('rotates its logs by size, and reads them as one', async bench => {
    const task = bench.command('/usr/bin/seq', '1', '4000')
    task.command.logs = { maxBytes: 4096, maxFiles: 10 }
    const all = numbers(1, 4000)
    assert.equal(await outputOf(task), all)
    assert.equal((await task.wait()).logsComplete, true)
    assert.deepEqual(
      [...logFiles(bench, task)].filter(([name]) => name.startsWith('seq.stdout')),
      [
        ['seq.stdout', all.length % 4096],
        ['seq.stdout.1', 4096],
        ['seq.stdout.2', 4096],
        ['seq.stdout.3', 4096],
        ['seq.stdout.4', 4096],
      ],
    )
    for (const lines of [1, 100, 500, 1000, 3000, 9999])
      assert.equal(await output(task, 'stdout', { tail: lines }), numbers(Math.max(1, 4001 - lines), 4000))
    assert.equal(await output(task, 'stdout', { follow: true }), all)
    assert.equal(await output(task, 'stdout', { follow: true, tail: 2 }), numbers(3999, 4000))
    assert.equal(await output(task, 'stdout', { tail: 0 }), '')
  })

  check('keeps no more than asked for', async bench => {
    const task = bench.command('/usr/bin/seq', '1', '40000')
    task.command.logs = { maxBytes: 4096, maxFiles: 3 }
    const all = numbers(1, 40_000)
    const kept = await outputOf(task)
    assert.equal(kept, all.slice(-kept.length))
    assert.equal(kept.length, 2 * 4096 + (all.length % 4096))
    const files = [...logFiles(bench, task)].filter(([name]) => name.startsWith('seq.stdout'))
    assert.equal(files.length, 3)
    for (const [name, size] of files) assert.ok(size <= 4096, `${name} has ${size} bytes`)
  })

  check('rotates both streams in one file as one', ['one-pipe'], async bench => {
    const path = join(bench.directory('log'), 'both')
    const task = bench.shell('for i in $(seq 1000); do echo "out $i"; echo "err $i" >&2; done')
    Object.assign(task.command, { stdout: path, stderr: path, logs: { maxBytes: 4096, maxFiles: 20 } })
    let expected = ''
    for (let i = 1; i <= 1000; i++) expected += `out ${i}\nerr ${i}\n`
    assert.equal(await outputOf(task), expected)
  })

  check('goes on with what an earlier task has left in the same log', async bench => {
    const path = join(bench.directory('log'), 'out')
    for (const [from, to] of [
      [1, 700],
      [701, 2000],
      [2001, 2003],
    ] as const) {
      const task = bench.command('/usr/bin/seq', String(from), String(to))
      Object.assign(task.command, { stdout: path, logs: { maxBytes: 4096, maxFiles: 4 } })
      assert.equal(await outputOf(task), numbers(1, to))
    }
  })

  check('rotates while nobody supervises it', async bench => {
    const task = bench.shell(
      'until [ -e $NOMAD_ALLOC_DIR/data/go ]; do sleep 0.02; done; seq 1 3000; sleep 0.2; seq 3001 6000',
    )
    task.command.logs = { maxBytes: 4096, maxFiles: 20 }
    await task.start()
    const id = task.id()
    await bench.supervisor.close()
    writeFileSync(join(bench.stateDir, 'allocs', keyOf(task), 'alloc/data/go'), '')
    const other = bench.another()
    const taken = await other.open(id)
    assert.equal(await output(taken, 'stdout', { follow: true }), numbers(1, 6000))
    assert.equal((await taken.wait()).logsComplete, true)
  })

  check(
    'is not held up by who holds the pipe of its log after its end, and says so',
    ['proc'],
    async bench => {
      const task = bench.shell('echo held; while :; do sleep 0.05; done')
      task.command.logs = { maxBytes: 4096, maxFiles: 2 }
      await task.start()
      await untilOutput(task, 'held')
      const { task: leader } = JSON.parse(
        readFileSync(join(bench.stateDir, 'tasks', keyOf(task), 'start.json'), 'utf8'),
      ) as { task: { pid: number } }
      if (process.platform !== 'linux') return
      const fd = openSync(`/proc/${leader.pid}/fd/1`, constants.O_WRONLY)
      try {
        const { logsComplete, signal } = await task.forceStop()
        assert.deepEqual([logsComplete, signal], [false, 'SIGKILL'])
      } finally {
        closeSync(fd)
      }
      assert.equal(await output(task), 'held\n')
    },
  )

  check('writes to open descriptors of this program, and reads from one', async bench => {
    const path = join(bench.directory('given'), 'file')
    const fd = openSync(path, 'a')
    const source = join(bench.directory('given'), 'source')
    writeFileSync(source, 'root and more')
    const input = openSync(source, 'r')
    const task = bench.shell('echo to a file; head -c 4 >&2')
    Object.assign(task.command, { stdin: `fd:${input}`, stdout: `fd:${fd}`, stderr: `fd:${fd}` })
    await task.start()
    for (const open of [fd, input]) closeSync(open)
    await task.wait()
    assert.equal(readFileSync(path, 'utf8'), 'to a file\nroot')
    await refuses(output(task), { code: 'UNSUPPORTED' })
  })

  check(
    'shares the offset of a file that it is given, so that neither writes over what the other has written',
    async bench => {
      const path = join(bench.directory('given'), 'file')
      const fd = openSync(path, 'w')
      try {
        writeSync(fd, 'before\n')
        const task = bench.shell('echo from the task; echo and more >&2')
        Object.assign(task.command, { stdout: `fd:${fd}`, stderr: `fd:${fd}` })
        await task.start()
        await task.wait()
        writeSync(fd, 'after\n')
      } finally {
        closeSync(fd)
      }
      assert.equal(readFileSync(path, 'utf8'), 'before\nfrom the task\nand more\nafter\n')
    },
  )

  check('writes to a socket that it is given', ['fifos'], async bench => {
    const server = createServer().listen(join(bench.directory('socket'), 's'))
    await once(server, 'listening')
    const connected = once(server, 'connection') as Promise<[Socket]>
    const client = connect(server.address() as string)
    const [peer] = await connected
    try {
      const { fd } = (client as unknown as { readonly _handle: { readonly fd: number } })._handle
      const task = bench.shell('echo through the socket')
      task.command.stdout = `fd:${fd}`
      const received = once(peer, 'data') as Promise<[Buffer]>
      await task.start()
      assert.equal(String((await received)[0]), 'through the socket\n')
      await task.wait()
    } finally {
      for (const socket of [client, peer]) socket.destroy()
      server.close()
    }
  })

  check('refuses a descriptor that is not open for writing', async bench => {
    const source = join(bench.directory('given'), 'source')
    writeFileSync(source, '')
    const fd = openSync(source, 'r')
    try {
      const task = bench.shell('echo')
      task.command.stdout = `fd:${fd}`
      await refuses(task.start(), { code: 'START_FAILED', stage: 'log' })
    } finally {
      closeSync(fd)
    }
  })

  check('takes the standard streams that this program itself was given', ['interpreters'], async bench => {
    const path = join(bench.directory('given'), 'file')
    const { stdout, exitCode } = await startFixture('given.ts', {
      stateDir: bench.stateDir,
      arguments: [platform],
      through: `exec "$@" </etc/passwd 2>>'${path}'`,
    })
    assert.deepEqual([readFileSync(path, 'utf8'), stdout, exitCode], ['rootboth\n', 'exit 0\n', 0])
  })

  check('says that a descriptor is not open', async bench => {
    const task = bench.shell('echo')
    task.command.stderr = 'fd:1048575'
    await refuses(task.start(), { code: 'START_FAILED', stage: 'log', errno: 'ENOENT' })
    const other = bench.shell('echo')
    other.command.stdin = 'fd:1048575'
    await refuses(other.start(), { code: 'START_FAILED', stage: 'stdin', errno: 'ENOENT' })
  })

  check('reads a stream of this program to its end', async bench => {
    const task = bench.command('/bin/cat')
    task.command.stdin = Readable.from(
      (function* () {
        for (let block = 0; block < 300; block++) yield Buffer.alloc(10_000, 97 + (block % 26))
      })(),
    )
    const text = await outputOf(task)
    assert.equal(text.length, 3_000_000)
    assert.equal(text[10_000 * 27], 'b')
    assert.deepEqual(readdirSync(join(bench.stateDir, 'tasks', keyOf(task))).includes('stdin'), false)
  })

  check('destroys a stream that it reads no further', async bench => {
    const task = bench.shell('head -c 3')
    const endless = new Readable({
      read() {
        this.push('x'.repeat(1000))
      },
    })
    const closed = once(endless, 'close')
    task.command.stdin = endless
    assert.equal(await outputOf(task), 'xxx')
    await closed
  })

  check(
    'shows a task no end of a stream that fails half way: the task is stopped, and its result and its history say why',
    async bench => {
      const failures = [
        [
          'ECONNRESET',
          (stream: Readable) => stream.destroy(Object.assign(new Error('reset'), { code: 'ECONNRESET' })),
        ],
        ['ERR_STREAM_PREMATURE_CLOSE', (stream: Readable) => stream.destroy()],
      ] as const
      for (const [errno, fail] of failures) {
        const task = bench.shell('cat; echo whole')
        const half = new Readable({ read() {} })
        task.command.stdin = half
        await task.start()
        half.push('half\n')
        await untilOutput(task, 'half')
        fail(half)
        const { error, successful, cause } = await task.wait()
        assert.deepEqual([error?.code, error?.stage, error?.errno], ['LOST', 'stdin', errno])
        // Where a stop is told by the end of input, the task is killed instead.
        const killed = process.platform === 'win32'
        assert.deepEqual([successful, cause], [false, killed ? 'forced' : 'shutdown'])
        assert.equal(await output(task), 'half\n')
        const journal = readFileSync(join(bench.stateDir, 'tasks', keyOf(task), 'journal.ndjson'), 'utf8')
        assert.match(journal, new RegExp(`"input failed".*"${errno}"`))
      }
    },
  )

  check('shows a command inside a task no such end either, and leaves the task alone', async bench => {
    const task = bench.shell('sleep 600')
    await task.start()
    const inside = bench.shellIn(task, 'cat; echo whole')
    const half = new Readable({ read() {} })
    inside.command.stdin = half
    await inside.start()
    half.push('half\n')
    await untilOutput(inside, 'half')
    half.destroy(new Error('reset'))
    assert.equal((await inside.wait()).error?.stage, 'stdin')
    assert.equal(await output(inside), 'half\n')
    assert.equal(task.state, 'running')
    await task.forceStop()
  })

  check('stops a task whose stream had failed before it was started', async bench => {
    const task = bench.shell('cat; echo whole')
    const broken = new Readable({ read() {} }).on('error', () => {})
    broken.destroy(new Error('gone'))
    await new Promise<void>(resolve => broken.once('close', resolve))
    task.command.stdin = broken
    await task.start()
    assert.equal((await task.wait()).error?.stage, 'stdin')
    assert.equal(await output(task), '')
  })

  check('sees the end of its input when the supervisor is closed', async bench => {
    const task = bench.shell('cat; echo end')
    const never = new Readable({ read() {} })
    task.command.stdin = never
    await task.start()
    never.push('begun\n')
    await untilOutput(task, 'begun')
    const id = task.id()
    await bench.supervisor.close()
    const taken = await bench.another().open(id)
    assert.equal((await taken.wait()).exitCode, 0)
    assert.equal(await output(taken), 'begun\nend\n')
  })

  check('fails a start that cannot have its stream, and destroys nothing of it', async bench => {
    const task = bench.command('/no/such/program')
    const input = Readable.from(['x'])
    task.command.stdin = input
    await refuses(task.start(), { code: 'START_FAILED' })
    assert.equal(input.destroyed, false)
  })
}
