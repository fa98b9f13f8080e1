import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { finalize, tap } from 'rxjs'
import { AllocDir, type Executor, Supervisor, setCommand } from '../../src/index.ts'
import { fill, withFilesystem } from '../support/small-filesystem.ts'
import { output, untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { keyOf } from '../support/task-key.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

const megabytes = Number(process.env.HOLDFAST_TORTURE_MB ?? 200)

/** `seq` from here on prints 9 bytes a number, so that every byte of its output knows its place. */
const first = 10_000_000
const recordBytes = 9

const seqArguments = (bytes: number): [string, string] => [
  String(first),
  String(first + Math.ceil(bytes / recordBytes) - 1),
]

/** What `seq` prints, from one place to another. */
function expected(from: number, to: number): Buffer {
  const firstRecord = Math.floor(from / recordBytes)
  let text = ''
  for (let record = firstRecord; record * recordBytes < to; record++) text += `${first + record}\n`
  return Buffer.from(text).subarray(from - firstRecord * recordBytes, to - firstRecord * recordBytes)
}

/** Where in the output of `seq` these bytes are. */
function placeOf(bytes: Buffer): number {
  const newline = bytes.indexOf(10)
  return (
    (Number(bytes.toString('latin1', newline + 1, newline + recordBytes)) - first) * recordBytes - newline - 1
  )
}

/** Stops the whole program for a while, as one with something else to do would. */
function stall(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

async function checksumOfSeq(bytes: number): Promise<{ readonly sum: string; readonly length: number }> {
  const hash = createHash('sha256')
  let length = 0
  const seq = spawn('seq', seqArguments(bytes))
  seq.stdout.on('data', (chunk: Buffer) => {
    hash.update(chunk)
    length += chunk.length
  })
  await once(seq, 'close')
  return { sum: hash.digest('hex'), length }
}

async function checksumOf(
  task: Executor,
  options: { follow?: boolean; stallEvery?: number },
): Promise<{ readonly sum: string; readonly length: number }> {
  const hash = createHash('sha256')
  const { follow = false, stallEvery = Number.POSITIVE_INFINITY } = options
  let [length, stalledAt] = [0, 0]
  await task.logs$('stdout', { follow }).forEach(chunk => {
    hash.update(chunk)
    length += chunk.length
    if (length - stalledAt < stallEvery) return
    stalledAt = length
    stall(20)
  })
  return { sum: hash.digest('hex'), length }
}

const logDirectory = (bench: Workbench, task: Executor): string =>
  join(bench.stateDir, 'allocs', keyOf(task), 'alloc/logs')

describe('logs under torture', function () {
  this.timeout(300_000)
  before(function () {
    requires(this, 'linux', 'native')
  })

  const root = process.geteuid?.() === 0
  for (const platform of root ? (['linux', 'basic'] as const) : (['basic'] as const)) {
    it(`${megabytes} MB as fast as they come: every byte is in the log, and with every follower (${platform})`, () =>
      withWorkbench(platform, async bench => {
        const task = bench.command('/usr/bin/seq', ...seqArguments(megabytes * 1e6))
        // So much that nothing need be dropped, in as many files as there may be.
        task.command.logs = { maxBytes: Math.ceil(megabytes / 80) * 1e6, maxFiles: 100 }
        await task.start()
        const followers = [
          checksumOf(task, { follow: true }),
          checksumOf(task, { follow: true, stallEvery: 8e6 }),
        ]
        const whole = await checksumOfSeq(megabytes * 1e6)
        assert.equal((await task.wait()).logsComplete, true)
        for (const follower of followers) assert.deepEqual(await follower, whole)
        assert.deepEqual(await checksumOf(task, {}), whole)
      }))

    it(`tiny files: what is kept is the end, the disk is bounded, and no follower sees a byte twice (${platform})`, () =>
      withWorkbench(platform, async bench => {
        const bytes = 12e6
        const limits = { maxBytes: 4096, maxFiles: 3 }
        const task = bench.command('/usr/bin/seq', ...seqArguments(bytes))
        task.command.logs = limits
        await task.start()
        const at = logDirectory(bench, task)
        let largest = 0
        const measuring = setInterval(() => {
          const sizes = readdirSync(at).map(
            name => statSync(join(at, name), { throwIfNoEntry: false })?.size ?? 0,
          )
          largest = Math.max(largest, ...sizes, 0)
          assert.ok(sizes.length <= 4, `${sizes.length} files`)
        }, 1)
        let next = 0
        await task.logs$('stdout', { follow: true }).forEach(chunk => {
          const bytes = Buffer.from(chunk)
          const place = bytes.length > 2 * recordBytes ? placeOf(bytes) : next
          assert.ok(place >= next, `at ${next}, ${next - place} bytes come again`)
          if (place > next) assert.equal(place % limits.maxBytes, 0, 'it goes on at the beginning of a file')
          assert.ok(bytes.equals(expected(place, place + bytes.length)))
          next = place + bytes.length
          if (next % 7 === 0) stall(1)
        })
        clearInterval(measuring)
        const total = Math.ceil(bytes / recordBytes) * recordBytes
        assert.equal(next, total)
        assert.ok(largest <= limits.maxBytes, `a file had ${largest} bytes`)
        assert.equal((await task.wait()).logsComplete, false, 'it has written more than is kept')
        const kept = Buffer.from(await output(task), 'latin1')
        assert.ok(kept.length > 2 * limits.maxBytes && kept.length <= 3 * limits.maxBytes)
        assert.ok(kept.equals(expected(total - kept.length, total)))
      }))
  }

  it('followers of a slow writer cross every rotation, wherever they begin', () =>
    withWorkbench('basic', async bench => {
      const lines = 4000
      const task = bench.shell(
        `i=0; while [ $i -lt ${lines} ]; do echo "$i $i $i $i $i $i"; i=$((i+1)); done`,
      )
      // All of it fits: what a follower lacks, it has lost itself.
      task.command.logs = { maxBytes: 4096, maxFiles: 100 }
      await task.start()
      const followers: Promise<string>[] = []
      while (task.state !== 'exited') {
        followers.push(output(task, 'stdout', { follow: true }))
        await new Promise(resolve => setTimeout(resolve, 10))
      }
      const text = Array.from({ length: lines }, (_, i) => `${i} ${i} ${i} ${i} ${i} ${i}\n`).join('')
      for (const follower of followers) assert.equal(await follower, text)
    }))

  it('lets go of every file, also amid rotations', () =>
    withWorkbench('basic', async bench => {
      const task = bench.command('/usr/bin/seq', ...seqArguments(30e6))
      task.command.logs = { maxBytes: 4096, maxFiles: 5 }
      await task.start()
      let [open, closed] = [0, 0]
      for (let round = 0; round < 50; round++) {
        open++
        let chunks = 0
        await new Promise<void>(resolve => {
          const subscription = task
            .logs$('stdout', { follow: true, tail: round })
            .pipe(
              tap(() => {
                if (++chunks === 3) setImmediate(() => subscription.unsubscribe())
              }),
              finalize(() => {
                closed++
                resolve()
              }),
            )
            .subscribe()
        })
      }
      await task.wait()
      assert.equal(closed, open)
      const held = readdirSync('/proc/self/fd').flatMap(fd => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`)
        } catch {
          return []
        }
      })
      assert.deepEqual(
        held.filter(path => path.includes(bench.stateDir) && path.includes('logs')),
        [],
      )
    }))

  it('a full disk neither stops the task nor is kept secret', async function () {
    requires(this, 'root')
    await withFilesystem('size=4m', async path => {
      const supervisor = new Supervisor({ stateDir: path, durability: 'process' })
      try {
        const task = supervisor.executor('basic')
        setCommand(task, '/bin/sh', ['-c', 'echo before; read go; seq 1 2000000 | tail -c 5000000; exit 7'])
        task.command.logs = { maxBytes: 4e6, maxFiles: 5 }
        const gate = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] })
        task.command.stdin = gate.stdout
        await task.start()
        await untilOutput(task, 'before')
        fill(path)
        gate.stdin.end('go\n')
        const result = await task.wait()
        assert.deepEqual([result.exitCode, result.evidence, result.logsComplete], [7, 'record', false])
        assert.ok((await output(task)).startsWith('before\n'))
      } finally {
        await Promise.all([...supervisor.tasks.values()].map(task => task.destroy()))
        await supervisor.close()
      }
    })
  })

  it('what a task plants beside its log is neither followed nor in the way', async function () {
    requires(this, 'root')
    await withWorkbench('basic', async bench => {
      const precious = join(bench.directory('precious'), 'file')
      writeFileSync(precious, 'precious')
      const alloc = new AllocDir(bench.directory('alloc'))
      await alloc.build(['web'])
      const logs = join(alloc.sharedDir, 'logs')
      symlinkSync(precious, join(logs, 'web.stdout.1'))
      mkdirSync(join(logs, 'web.stdout.2/full'), { recursive: true })
      linkSync(precious, join(logs, 'web.stdout.3'))
      const task = bench.command('/usr/bin/seq', '1', '20000')
      task.command.logs = { maxBytes: 4096, maxFiles: 4 }
      await task.configureTaskDir('web', alloc)
      await task.start()
      const followed = output(task, 'stdout', { follow: true })
      const result = await task.wait()
      // The directory stays, and what should have taken its place had to go.
      assert.deepEqual([result.exitCode, result.logsComplete], [0, false])
      assert.equal(readFileSync(precious, 'utf8'), 'precious')
      assert.ok((await followed).endsWith('19999\n20000\n'))
      assert.ok((await output(task)).endsWith('19999\n20000\n'))
      assert.ok(readdirSync(logs).filter(name => name.startsWith('web.stdout')).length <= 4)
    })
  })
})
