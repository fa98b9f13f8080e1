import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AllocDir } from '../../src/index.ts'
import { detectCgroups } from '../../src/platform/linux/cgroup-mode.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'

/** What an orchestrator has made before it asks for a start, and keeps. */
describe('a task in the hands of an orchestrator', () => {
  it('joins the cgroup that it is given, has its limits there, and leaves it as it was, but empty', async function () {
    requires(this, 'root', 'native', 'cgroup-v1')
    const memory = detectCgroups().v1.get('memory') ?? ''
    const given = join(memory, `orchestrator-${process.pid}`)
    mkdirSync(given)
    try {
      await withWorkbench('linux', async bench => {
        const task = bench.shell('sleep 100')
        task.command.cgroups = [given]
        await task.limit({ memoryMB: 40 })
        await task.start()
        assert.equal(
          readFileSync(join(given, 'memory.limit_in_bytes'), 'utf8').trim(),
          String(40 * 1024 * 1024),
        )
        assert.notEqual(readFileSync(join(given, 'cgroup.procs'), 'utf8'), '')
        assert.equal(existsSync(join(memory, 'holdfast', task.key)), false)
        assert.equal((await task.usage()).memoryLimitBytes, 40 * 1024 * 1024)
        const session = task.exec('/bin/sh', '-c', 'cat /proc/self/cgroup')
        await session.start()
        assert.equal((await session.wait()).exitCode, 0)
        await task.forceStop()
        assert.equal(readFileSync(join(given, 'cgroup.procs'), 'utf8'), '')
        const hog = bench.command('tail', '/dev/zero')
        hog.command.cgroups = [given]
        await hog.limit({ memoryMB: 40 })
        await hog.start()
        assert.equal((await hog.wait()).cause, 'oom')
      })
      assert.ok(existsSync(given))
    } finally {
      rmdirSync(given)
    }
  })

  it('tells what the limits in it held up, and nothing that an earlier task has met with there', async function () {
    requires(this, 'root', 'native', 'own-cgroup')
    const { v1, v2 } = detectCgroups()
    const given = join(v1.get('memory') ?? v2?.mount ?? '', `orchestrator-${process.pid}`)
    const mebibyte = 1024 * 1024
    mkdirSync(given)
    try {
      await withWorkbench('linux', async bench => {
        const ended = async (memoryMB: number, cgroups: string[], name: string, ...args: string[]) => {
          const task = bench.command(name, ...args)
          task.command.cgroups = cgroups
          await task.limit({ memoryMB })
          await task.start()
          return task.wait()
        }
        const own = await ended(40, [], 'tail', '/dev/zero')
        const hog = await ended(40, [given], 'tail', '/dev/zero')
        const isCounted = ({ limitsHit }: typeof own) =>
          Object.entries(limitsHit).map(([name, count]) => [name, count === null ? null : count > 0])
        assert.deepEqual([hog.cause, isCounted(hog)], ['oom', isCounted(own)])
        assert.equal(hog.usage?.memoryLimitBytes, 40 * mebibyte)
        const peak = hog.usage.memoryPeakBytes ?? null
        assert.equal(peak === null, own.usage?.memoryPeakBytes === null)
        if (peak !== null) assert.ok(Math.abs(peak - 40 * mebibyte) < mebibyte, String(peak))
        const next = await ended(60, [given], 'true')
        assert.equal(next.limitsHit.oomKills, 0)
        // Of v1 a zero says nothing.
        assert.equal(next.limitsHit.memoryHigh, v1.has('memory') ? null : 0)
        assert.equal(next.usage?.memoryLimitBytes, 60 * mebibyte)
        assert.equal(next.usage.memoryPeakBytes, null)
        assert.equal((await ended(30, [given], 'true')).usage?.memoryLimitBytes, 30 * mebibyte)
      })
    } finally {
      rmdirSync(given)
    }
  })

  it('is refused a cgroup that is none, two of one hierarchy, and any without a pid namespace', async function () {
    requires(this, 'root', 'native', 'cgroup-v1')
    const mount = detectCgroups().v1.get('memory') ?? ''
    await withWorkbench('linux', async bench => {
      for (const [cgroups, namespaces, message] of [
        [['/tmp'], {}, /command\.cgroups\[0\]: got "\/tmp", takes the directory of a cgroup/],
        [[mount, join(mount, 'holdfast')], {}, /command\.cgroups\[1\].*one cgroup of each hierarchy/],
        [[mount], { pid: false }, /cgroups cannot go with namespaces\.pid: false/],
      ] as const) {
        const task = bench.shell('true')
        task.command.cgroups = [...cgroups]
        task.command.namespaces = namespaces
        await assert.rejects(task.start(), { code: 'INVALID_ARGUMENT', message })
      }
    })
  })

  it('writes its log into a FIFO of the orchestrator, also before and between readers; never into a planted one', async function () {
    requires(this, 'root', 'native')
    await withWorkbench('linux', async bench => {
      const alloc = new AllocDir(join(bench.directory('alloc'), 'one'))
      await alloc.build(['t'])
      const fifo = join(alloc.sharedDir, 'logs', 'out.fifo')
      execFileSync('mkfifo', ['-m', '600', fifo])
      const task = bench.shell('echo early; sleep 0.5; echo late; sleep 100')
      task.command.stdout = fifo
      await task.configureTaskDir('t', alloc)
      await task.start()
      const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
      assert.equal(await readUntil(reader, 'late\n'), 'early\nlate\n')
      closeSync(reader)
      await task.forceStop()
      chmodSync(fifo, 0o666)
      const next = bench.shell('echo x')
      next.command.stdout = fifo
      await next.configureTaskDir('t', alloc)
      await assert.rejects(next.start(), { stage: 'log', errno: 'ENXIO' })
    })
  })

  it('has a terminal where it is asked for, whose size follows', async function () {
    requires(this, 'root', 'native')
    await withWorkbench('linux', async bench => {
      const typed = join(bench.directory('typed'), 'fifo')
      execFileSync('mkfifo', [typed])
      const keyboard = openSync(typed, constants.O_RDWR | constants.O_NONBLOCK)
      const task = bench.shell(
        'test -t 0 && test -t 1 && test -t 2 && stty size; read word; stty size; echo $word; exit 3',
      )
      task.command.terminal = { rows: 30, columns: 100 }
      task.command.stdin = typed
      await task.start()
      let shown = ''
      task.logs$('stdout', { follow: true }).subscribe(chunk => (shown += Buffer.from(chunk).toString()))
      while (!shown.includes('30 100')) await sleep(20)
      await task.resize({ rows: 12, columns: 34 })
      writeSync(keyboard, 'hello\n')
      assert.equal((await task.wait()).exitCode, 3)
      while (!shown.includes('12 34\r\nhello\r\n')) await sleep(20)
      closeSync(keyboard)
      await assert.rejects(task.resize({ rows: 0, columns: 1 }), {
        message: /size\.rows: got 0, takes an integer/,
      })
    })
  })

  it('lives in directories that somebody else has made: adopt() changes nothing, and says what is missing', async () => {
    await withWorkbench('basic', async bench => {
      const path = join(bench.directory('alloc'), 'one')
      const alloc = new AllocDir(path)
      await assert.rejects(alloc.adopt(['t']), { code: 'NOT_FOUND', path })
      for (const part of ['alloc', 't/local']) mkdirSync(join(path, part), { recursive: true })
      chmodSync(join(path, 'alloc'), 0o750)
      await alloc.adopt(['t'])
      assert.equal(statSync(join(path, 'alloc')).mode & 0o7777, 0o750)
      assert.equal(alloc.taskPaths('t').local, join(path, 't/local'))
      symlinkSync('t', join(path, 'u'))
      await assert.rejects(alloc.adopt(['u']), { code: 'INVALID_STATE', path: join(path, 'u') })
      await assert.rejects(alloc.adopt(['..']), { code: 'INVALID_ARGUMENT' })
    })
  })
})

async function readUntil(fd: number, end: string): Promise<string> {
  const bytes = Buffer.alloc(4096)
  for (let text = ''; ; await sleep(20)) {
    try {
      text += bytes.toString('utf8', 0, readSync(fd, bytes))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
    if (text.endsWith(end)) return text
  }
}
