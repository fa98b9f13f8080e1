import { strict as assert } from 'node:assert'
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AllocDir, type OutputChunk } from '../../../src/index.ts'
import { eventually } from '../../support/eventually.ts'
import { output, outputOf, untilOutput } from '../../support/output.ts'
import { refuses } from '../../support/refuses.ts'
import { keyOf } from '../../support/task-key.ts'
import type { Section } from './adapter.ts'

async function collected(chunks: AsyncIterable<OutputChunk>): Promise<OutputChunk[]> {
  const all: OutputChunk[] = []
  for await (const chunk of chunks) all.push(chunk)
  return all
}

const textOf = (chunks: readonly OutputChunk[]): string =>
  chunks.map(({ bytes }) => Buffer.from(bytes).toString()).join('')

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

  check('stops what has given more than it may, of both streams together', ['signals'], async bench => {
    const task = bench.shell('printf %600d 0; printf %600d 0 >&2; echo more; sleep 1000')
    await task.limit({ outputBytes: 1000 })
    await task.start()
    const { cause, exitCode, signal } = await task.wait()
    assert.deepEqual({ cause, exitCode, signal }, { cause: 'output', exitCode: null, signal: 'SIGTERM' })
    const [row] = task.enforcement.filter(({ name }) => name === 'outputBytes')
    assert.deepEqual([row?.requested, row?.status], ['1000', 'enforced'])
    // Control: exactly as much is none too much.
    const other = bench.shell('printf %600d 0; printf %400d 0 >&2')
    await other.limit({ outputBytes: 1000 })
    await other.start()
    assert.deepEqual(await other.wait().then(({ cause, exitCode }) => [cause, exitCode]), ['exited', 0])
  })

  check('stops it while no supervisor lives, and kills it when it goes on', async bench => {
    const task = bench.shell(
      'trap "" TERM; echo ready; while [ ! -e $HOLDFAST_TASK_DIR/go ]; do sleep 0.02; done; yes',
    )
    await task.limit({ outputBytes: 100_000 })
    await task.start()
    await untilOutput(task, 'ready')
    await bench.supervisor.close()
    const dir = join(bench.stateDir, 'tasks', keyOf(task))
    writeFileSync(join(bench.stateDir, 'allocs', keyOf(task), 'sh/local/go'), '')
    await eventually(() => assert.ok(existsSync(join(dir, 'exit.json'))))
    const again = await bench.another().open(task.id())
    assert.deepEqual(await again.wait().then(({ cause, signal }) => [cause, signal]), ['output', 'SIGKILL'])
  })

  check('counts the bytes that are not in the logs', async bench => {
    const task = bench.shell('head -c 50000 /dev/zero; echo end >&2')
    task.command.logs = { maxBytes: 4096, maxFiles: 2 }
    await task.start()
    const { limitsHit, logsComplete } = await task.wait()
    assert.equal(logsComplete, false)
    assert.equal(limitsHit.logBytesDropped, 50_000 - (await output(task)).length)
    const plain = bench.shell('echo text')
    plain.command.logs = 'plain'
    await plain.start()
    assert.equal((await plain.wait()).limitsHit.logBytesDropped, null)
    const whole = bench.shell('echo text')
    await whole.start()
    assert.equal((await whole.wait()).limitsHit.logBytesDropped, 0)
  })

  check('says so where it has written too much and ended before that was read', async bench => {
    const task = bench.shell('printf %2000d 0; exit 3')
    await task.limit({ outputBytes: 1000 })
    await task.start()
    assert.equal((await task.wait()).cause, 'output')
    assert.equal((await output(task)).length, 2000)
  })

  check('tells of output that it cannot count, and refuses it when strict', async bench => {
    const plain = bench.shell('echo text')
    plain.command.logs = 'plain'
    await plain.limit({ outputBytes: 1 })
    await plain.start()
    assert.equal((await plain.wait()).cause, 'exited')
    const rowOf = (task: typeof plain) => task.enforcement.find(({ name }) => name === 'outputBytes')
    assert.equal(rowOf(plain)?.status, 'skipped')
    assert.match(rowOf(plain)?.hint ?? '', /logs: 'plain'/)
    const half = bench.shell('echo text')
    half.command.stdout = join(bench.directory('log'), 'out')
    await half.limit({ outputBytes: 1 })
    await half.start()
    assert.equal(rowOf(half)?.status, 'weakened')
    const strict = bench.commandOf(bench.another({ strict: true }), '/bin/echo', 'text')
    strict.command.logs = 'plain'
    await strict.limit({ outputBytes: 1 })
    await refuses(strict.start(), { message: /outputBytes/ })
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

  check(
    'lets the task open its own output again by name, which erases nothing',
    ['descriptors'],
    async bench => {
      const task = bench.shell(
        'echo one; echo two > /dev/stdout; echo three >> /proc/self/fd/1; echo four >&2; echo five > /dev/stderr; echo six | tee /dev/stderr',
      )
      assert.equal(await outputOf(task), 'one\ntwo\nthree\nsix\n')
      assert.equal(await output(task, 'stderr'), 'four\nfive\nsix\n')
      assert.equal((await task.wait()).logsComplete, true)
    },
  )

  check(
    'gives both streams in order, with times, while it runs, after its end and when opened anew',
    async bench => {
      const task = bench.shell(
        'for i in 1 2 3 4 5; do echo out $i; sleep 0.05; echo err $i >&2; sleep 0.05; done; printf rest',
      )
      const before = Date.now()
      await task.start()
      const following = collected(task.output$({ follow: true }))
      await task.wait()
      const expected = [1, 2, 3, 4, 5].map(i => `out ${i}\nerr ${i}\n`).join('') + 'rest'
      const chunks = await following
      assert.equal(textOf(chunks), expected)
      assert.ok(chunks.every(({ unordered }) => !unordered))
      const times = chunks.map(({ at }) => at.getTime())
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      )
      assert.ok((times[0] ?? 0) >= before - 1 && (times.at(-1) ?? 0) <= Date.now() + 1)
      assert.equal(textOf(await collected(task.output$())), expected)
      assert.equal(textOf(await collected(task.output$({ tail: 3 }))), 'out 5\nerr 5\nrest')
      assert.equal(textOf(await collected(task.output$({ only: 'stderr', tail: 1 }))), 'err 5\n')
      const middle = chunks.find(({ bytes }) => Buffer.from(bytes).includes('out 3'))
      assert.ok(
        textOf(await collected(task.output$({ since: middle?.at ?? new Date() }))).startsWith('out 3\n'),
      )
      const id = task.id()
      await bench.supervisor.close()
      assert.equal(textOf(await collected((await bench.another().open(id)).output$())), expected)
    },
  )

  check('appends to a log that another task writes already', async bench => {
    const alloc = new AllocDir(bench.directory('alloc'))
    await alloc.build(['twice'])
    const tasks = ['one', 'two'].map(word =>
      bench.shell(`for i in $(seq 50); do echo ${word} $i; sleep 0.01; done`),
    )
    for (const task of tasks) {
      await task.configureTaskDir('twice', alloc)
      await task.start()
    }
    for (const task of tasks) assert.equal((await task.wait()).exitCode, 0)
    const lines = readFileSync(join(alloc.sharedDir, 'logs/twice.stdout'), 'utf8').trim().split('\n')
    for (const word of ['one', 'two']) {
      const numbers = lines.filter(line => line.startsWith(word)).map(line => Number(line.split(' ')[1]))
      assert.deepEqual(
        numbers,
        Array.from({ length: 50 }, (_, index) => index + 1),
      )
    }
  })

  check('gives both streams in order across rotations', async bench => {
    const task = bench.shell('for i in $(seq 400); do echo "out $i"; echo "err $i" >&2; done')
    task.command.logs = { maxBytes: 4096, maxFiles: 20 }
    await task.start()
    const followed = await collected(task.output$({ follow: true }))
    const replayed = await collected(task.output$())
    for (const chunks of [followed, replayed])
      for (const stream of ['stdout', 'stderr'] as const)
        assert.equal(textOf(chunks.filter(chunk => chunk.stream === stream)), await output(task, stream))
    assert.equal(textOf(followed), textOf(replayed))
  })

  check(
    "says of what the task writes itself that its order is not known, and gives each stream's",
    async bench => {
      const task = bench.shell('echo out; echo err >&2')
      task.command.logs = 'plain'
      await task.start()
      await task.wait()
      const chunks = await collected(task.output$())
      assert.deepEqual(
        chunks.map(({ stream, bytes, unordered }) => [stream, Buffer.from(bytes).toString(), unordered]),
        [
          ['stdout', 'out\n', true],
          ['stderr', 'err\n', true],
        ],
      )
    },
  )

  check('does not write through a link that lies where a log will be opened', ['links'], async bench => {
    const alloc = new AllocDir(bench.directory('alloc'))
    await alloc.build(['victim'])
    const precious = join(bench.directory('precious'), 'file')
    writeFileSync(precious, 'precious')
    symlinkSync(precious, join(alloc.sharedDir, 'logs/victim.stdout'))
    const task = bench.shell('echo overwritten')
    await task.configureTaskDir('victim', alloc)
    assert.equal(await outputOf(task), 'overwritten\n')
    assert.equal(readFileSync(precious, 'utf8'), 'precious')
  })
}
