import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supervisor } from '../../src/index.ts'
import { sendControl } from '../../src/spawn/control.ts'
import { runFixture } from '../support/fixture.ts'
import { assertNoProcessLeft, processesOf } from '../support/leftovers.ts'
import { outputOf, untilOutput } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { fill, withFilesystem } from '../support/small-filesystem.ts'
import { directoryOf, keyOf } from '../support/task-key.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

const damages: Readonly<Record<string, (text: string) => string | Buffer>> = {
  'cut short': text => text.slice(0, text.length / 2),
  empty: () => '',
  'no JSON at all': () => Buffer.from([0, 255, 254, 1]),
  'JSON of something else': () => '{"format":"something else"}',
  'of a later version': text => text.replace(/"version":\d+/, '"version":99'),
  'without its spec': text => JSON.stringify({ ...JSON.parse(text), spec: null }),
  'with a state nobody knows': text => text.replaceAll('"exited"', '"dancing"'),
}

describe('a state directory that', () => {
  before(function () {
    requires(this, 'linux', 'native')
  })

  it('is on a read-only file system: PERMISSION, EROFS and a hint; what is stored there can still be read', async function () {
    requires(this, 'root')
    await withFilesystem('size=4m', async stateDir => {
      const first = new Supervisor({ stateDir })
      const task = first.executor('basic')
      Object.assign(task.command, { path: '/bin/sh', args: ['-c', 'exit 3'] })
      await task.start()
      const result = await task.wait()
      await first.close()
      execFileSync('mount', ['-o', 'remount,ro', stateDir])
      const supervisor = new Supervisor({ stateDir })
      try {
        const refused = supervisor.executor('basic')
        refused.command.path = '/bin/true'
        await refuses(refused.start(), {
          code: 'PERMISSION',
          errno: 'EROFS',
          stage: 'state',
          hint: /read-only/,
        })
        assert.deepEqual(await (await supervisor.open(task.id())).wait(), result)
      } finally {
        await supervisor.close()
      }
    })
  })

  it('is on a full file system: ENOSPC and a hint, and nothing that was stored is lost', async function () {
    requires(this, 'root')
    await withFilesystem('size=1m', async stateDir => {
      const supervisor = new Supervisor({ stateDir })
      try {
        const ended = supervisor.executor('basic')
        ended.command.path = '/bin/true'
        await ended.start()
        const result = await ended.wait()
        const stored = readFileSync(join(directoryOf(ended), 'exit.json'))
        const ballast = fill(stateDir)
        const refused = supervisor.executor('basic')
        refused.command.path = '/bin/true'
        await refuses(refused.start(), { errno: 'ENOSPC', hint: /full|space/i })
        assert.deepEqual(readFileSync(join(directoryOf(ended), 'exit.json')), stored)
        assert.deepEqual(await ended.wait(), result)
        rmSync(ballast)
        const again = supervisor.executor('basic')
        again.command.path = '/bin/true'
        await again.start()
        assert.equal((await again.wait()).exitCode, 0)
        assert.deepEqual((await new Supervisor({ stateDir }).openAll()).quarantined, [])
      } finally {
        for (const task of [...supervisor.tasks.values()]) await task.destroy()
        await supervisor.close()
      }
    })
  })

  it('fills up while a task runs: the task can be stopped, and its end is never told as a success', async function () {
    requires(this, 'root')
    await withFilesystem('size=1m', async stateDir => {
      const supervisor = new Supervisor({ stateDir })
      try {
        const task = supervisor.executor('basic')
        Object.assign(task.command, { path: '/bin/sleep', args: ['1000'] })
        await task.start()
        const ballast = fill(stateDir)
        const result = await task.shutdown({ graceMs: 30_000 })
        assert.deepEqual([result.exitCode, result.successful], [null, false])
        assert.ok(result.cause === 'shutdown' || result.cause === 'lost', result.cause)
        await assertNoProcessLeft(task)
        rmSync(ballast)
        const other = new Supervisor({ stateDir })
        const reopened = await (await other.open(task.id())).wait()
        assert.deepEqual([reopened.exitCode, reopened.cause], [null, result.cause])
        await other.close()
      } finally {
        for (const task of [...supervisor.tasks.values()]) await task.destroy()
        await supervisor.close()
      }
    })
  })

  it('is a file: refused with a hint, and the file is as before', async () => {
    const stateDir = join(temporaryDirectory('file'), 'state')
    writeFileSync(stateDir, 'precious')
    const supervisor = new Supervisor({ stateDir })
    const task = supervisor.executor('basic')
    task.command.path = '/bin/true'
    await refuses(task.start(), { stage: 'state', hint: /file/ })
    await refuses(supervisor.openAll(), { errno: 'ENOTDIR', hint: /file/ })
    await supervisor.close()
    assert.equal(readFileSync(stateDir, 'utf8'), 'precious')
  })

  it('is not there, or empty: opens to nothing, and is not made by looking', async () => {
    const stateDir = join(temporaryDirectory('absent'), 'not', 'there')
    const supervisor = new Supervisor({ stateDir })
    assert.deepEqual(await supervisor.openAll(), { resumed: [], exited: [], lost: [], quarantined: [] })
    await supervisor.close()
    assert.equal(existsSync(stateDir), false)
  })

  for (const [damage, apply] of Object.entries(damages)) {
    it(`has a task.json ${damage}: that task is quarantined and kept byte for byte, the others are fine`, () =>
      withWorkbench('basic', async bench => {
        const [before, victim, after] = await threeEnded(bench)
        const path = join(bench.stateDir, 'tasks', victim, 'task.json')
        writeFileSync(path, apply(readFileSync(path, 'utf8')))
        const files = contentsOf(bench, victim)
        const supervisor = bench.another()
        const report = await supervisor.openAll()
        assert.deepEqual(report.exited, [before, after].sort())
        assert.deepEqual([report.resumed, report.lost], [[], []])
        const [{ key, error } = { key: '', error: null }, ...more] = report.quarantined
        assert.equal(key, victim)
        assert.equal(error?.code, 'STATE_CORRUPT')
        assert.ok(error?.hint && error.path?.startsWith(join(bench.stateDir, 'tasks', victim)))
        assert.deepEqual(more, [])
        await refuses(supervisor.open(`holdfast:1:${victim}:${bench.stateDir}`), { code: 'STATE_CORRUPT' })
        assert.deepEqual(contentsOf(bench, victim), files)
        assert.equal(supervisor.tasks.size, 2)
      }))
  }

  it('has the task.json of a running task damaged: the task runs on', () =>
    withWorkbench('basic', async bench => {
      const task = bench.shell('echo ready; sleep 1000')
      await task.start()
      await untilOutput(task, 'ready')
      const dir = directoryOf(task)
      await bench.supervisor.close()
      writeFileSync(join(dir, 'task.json'), 'damaged')
      const report = await bench.another().openAll()
      assert.equal(report.quarantined.length, 1)
      assert.ok(processesOf(keyOf(task)).length >= 2)
      assert.equal(readFileSync(join(dir, 'task.json'), 'utf8'), 'damaged')
      assert.equal(sendControl(dir, 'kill'), true, 'its FIFOs still work')
    }))

  it('has records that cannot be read: the end is not made up', () =>
    withWorkbench('basic', async bench => {
      const task = bench.shell('exit 0')
      await task.start()
      await task.wait()
      await bench.supervisor.close()
      const path = join(directoryOf(task), 'exit.json')
      const damaged = readFileSync(path, 'utf8').slice(0, 40)
      writeFileSync(path, damaged)
      rmSync(join(directoryOf(task), 'task.json.later'), { force: true })
      const supervisor = bench.another()
      const report = await supervisor.openAll()
      // What task.json has kept of the result may stand; a success out of nothing may not.
      if (report.exited.length === 1)
        assert.equal((await (await supervisor.open(task.id())).wait()).evidence, 'record')
      else assert.equal(report.exited.length + report.resumed.length, 0)
      assert.equal(readFileSync(path, 'utf8'), damaged)
    }))

  it('has strangers in it: they are left alone', () =>
    withWorkbench('basic', async bench => {
      assert.equal(await outputOf(bench.shell('echo one')), 'one\n')
      for (const name of ['README', '.hidden', 'UPPERCASE12345', 'toolong-toolong-toolong']) {
        writeFileSync(join(bench.stateDir, 'tasks', name), 'mine')
      }
      const report = await bench.another().openAll()
      assert.deepEqual([report.exited.length, report.quarantined.length], [1, 0])
      assert.equal(readdirSync(join(bench.stateDir, 'tasks')).length, 5)
    }))
})

describe('a program with too few file descriptors', () => {
  for (const platform of ['basic', 'linux'] as const) {
    it(`gets a HoldfastError with a hint, or a task that runs, and can go on (${platform})`, async function () {
      requires(this, 'linux', 'native', ...(platform === 'linux' ? (['root'] as const) : []))
      await withWorkbench(platform, async bench => {
        const { stdout } = await runFixture('few-descriptors.ts', {
          stateDir: bench.stateDir,
          arguments: [platform],
          through: 'ulimit -n 200; exec "$@"',
        })
        const attempts = JSON.parse(stdout) as { free: number; outcome: string; hint: string | null }[]
        assert.equal(attempts.at(-1)?.outcome, 'exit 0', 'with enough of them it works')
        assert.notEqual(attempts[0]?.outcome, 'exit 0', 'with none it does not')
        for (const { free, outcome, hint } of attempts) {
          if (outcome === 'exit 0') continue
          assert.match(outcome, /^HoldfastError [A-Z_]+ E[MN]FILE$/, `${free} free`)
          assert.ok(hint, `${free} free: ${outcome} has no hint`)
        }
      })
    })
  }
})

/** Keys in the order of starting. */
async function threeEnded(bench: Workbench): Promise<[string, string, string]> {
  const tasks = [1, 2, 3].map(code => bench.shell(`exit ${code}`))
  for (const task of tasks) {
    await task.start()
    await task.wait()
  }
  await bench.supervisor.close()
  const [first = '', second = '', third = ''] = tasks.map(keyOf)
  return [first, second, third]
}

function contentsOf(bench: Workbench, key: string): Record<string, string> {
  const dir = join(bench.stateDir, 'tasks', key)
  const names = readdirSync(dir).filter(name => name.endsWith('.json'))
  return Object.fromEntries(names.map(name => [name, readFileSync(join(dir, name), 'hex')]))
}
