import { strict as assert } from 'node:assert'
import { existsSync, readFileSync, readlinkSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor } from '../../src/index.ts'
import { strictPoints } from '../../src/task/failpoint.ts'
import { canCompile, withoutCall } from '../attacks/hostile.ts'
import { eventually } from '../support/eventually.ts'
import { startFixture } from '../support/fixture.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { directoryOf, startRecordOf } from '../support/task-key.ts'
import { withVariable } from '../support/variable.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

/** A program that says so when it runs. The kernel marks its file as read when it begins an exec of it. */
function newProgram(bench: Workbench): { path: string; hasRun: () => boolean; wasExeced: () => boolean } {
  const dir = bench.directory('program')
  chmodSync(dir, 0o777)
  const path = join(dir, 'program')
  writeFileSync(path, `#!/bin/sh\n: >${dir}/ran\nexec sleep 1000\n`, { mode: 0o755 })
  utimesSync(path, 1, 2)
  return {
    path,
    hasRun: () => existsSync(join(dir, 'ran')),
    wasExeced: () => statSync(path).atimeMs > 1000,
  }
}

function taskOf(bench: Workbench, path: string, strict: boolean): Executor {
  const task = bench.supervisor.executor('linux', { strict })
  Object.assign(task.command, { path, root: 'host' })
  return task
}

/** A kernel that says of every limit of resources that it is set, and sets none. */
const withoutLimits = (body: () => Promise<void>): Promise<void> =>
  withVariable('HOLDFAST_NATIVE', withoutCall('prlimit64', 0), body)

describe('a start under strict of which less is in force than was asked for', () => {
  before(function () {
    requires(this, 'linux', 'root', 'native')
    if (!canCompile('without_call')) this.skip()
  })

  it('is refused in front of the program, which never runs', () =>
    withoutLimits(() =>
      withWorkbench('linux', async bench => {
        const { path, hasRun, wasExeced } = newProgram(bench)
        const task = taskOf(bench, path, true)
        await task.limit({ rlimits: { nofile: 100 } })
        await refuses(task.start(), {
          code: 'LIMIT_FAILED',
          message: /rlimits\.nofile \(the kernel says otherwise: /,
        })
        await sleep(100)
        assert.deepEqual([hasRun(), wasExeced()], [false, false])
        const exit = readFileSync(join(directoryOf(task), 'exit.json'), 'utf8')
        assert.match(exit, /"stage":"limit"/)
      }),
    ))

  it('control: without strict it runs, and the row says what is in force', () =>
    withoutLimits(() =>
      withWorkbench('linux', async bench => {
        const { path, hasRun, wasExeced } = newProgram(bench)
        const task = taskOf(bench, path, false)
        await task.limit({ rlimits: { nofile: 100 } })
        await task.start()
        await eventually(() => assert.ok(hasRun()))
        assert.ok(wasExeced())
        assert.equal(task.enforcement.find(({ name }) => name === 'rlimits.nofile')?.status, 'weakened')
      }),
    ))

  it('so is an exec session', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('sleep', '1000')
      task.command.root = 'host'
      await task.start()
      const { path, hasRun, wasExeced } = newProgram(bench)
      await withoutLimits(async () => {
        const strict = await bench.another({ strict: true }).open(task.id())
        const session = strict.exec(path)
        await session.limit({ rlimits: { nofile: 100 } })
        await refuses(session.start(), { code: 'LIMIT_FAILED', message: /the kernel says otherwise/ })
      })
      await sleep(100)
      assert.deepEqual([hasRun(), wasExeced()], [false, false])
    }))
})

describe('a start under strict whose supervisor is killed', () => {
  before(function () {
    requires(this, 'linux', 'root', 'native')
  })

  const cutShort = async ({ stateDir }: Workbench, path: string, point: string): Promise<void> => {
    await startFixture('strict.ts', { stateDir, arguments: [path], env: { HOLDFAST_FAULT: point } })
  }
  const found = async ({ supervisor }: Workbench): Promise<Executor> => {
    await supervisor.openAll()
    const [task] = supervisor.tasks.values()
    return task ?? assert.fail('no task')
  }

  for (const point of strictPoints)
    it(`at ${point} waits in front of its program for a successor, who compares`, () =>
      withWorkbench('linux', async bench => {
        const { path, hasRun, wasExeced } = newProgram(bench)
        await cutShort(bench, path, point)
        await sleep(300)
        assert.deepEqual([hasRun(), wasExeced()], [false, false])
        const task = await found(bench)
        await eventually(() => assert.ok(hasRun()))
        assert.equal(task.state, 'running')
        assert.match(readlinkSync(`/proc/${startRecordOf(task).task.pid}/exe`), /sleep|busybox|coreutils/)
      }))

  it('is refused by the successor where what was read is less', () =>
    withWorkbench('linux', async bench => {
      const { path, hasRun, wasExeced } = newProgram(bench)
      await cutShort(bench, path, 'start-held')
      const [key = ''] = bench.keys()
      const file = join(bench.stateDir, 'tasks', key, 'enforced.json')
      const record = readFileSync(file, 'utf8')
      const other = record.replaceAll('"NoNewPrivs":"1"', '"NoNewPrivs":"0"')
      assert.notEqual(other, record)
      writeFileSync(file, other)
      const task = await found(bench)
      await eventually(() => assert.notEqual(task.state, 'running'))
      await sleep(100)
      assert.deepEqual([hasRun(), wasExeced()], [false, false])
    }))
})
