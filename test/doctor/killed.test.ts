import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeTrialDirectory, removeLeftTrials } from '../../src/doctor/trial-directory.ts'
import { packageRoot } from '../../src/spawn/native-program.ts'
import { compiled } from '../support/compiled.ts'
import { eventually } from '../support/eventually.ts'
import { assertNothingLeft, processesOf } from '../support/leftovers.ts'
import { ordinaryUid } from '../support/ordinary-user.ts'
import { statOf } from '../support/process-stat.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('a doctor that is killed half-way', function () {
  this.timeout(120_000)
  let directory: string
  const ownTmpdir = process.env.TMPDIR
  before(function () {
    requires(this, 'linux', 'native')
  })
  beforeEach(() => {
    directory = temporaryDirectory('killed-doctor')
    process.env.TMPDIR = directory
  })
  afterEach(() => {
    if (ownTmpdir === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = ownTmpdir
    removeTemporary(directory)
  })

  const doctor = () =>
    spawn(process.execPath, [compiled('src/cli/main.ts'), 'doctor', '--json'], {
      cwd: packageRoot,
      stdio: 'ignore',
      env: { ...process.env, TMPDIR: directory, HOME: directory },
    })
  const tasksIn = (trials: string) => {
    const tasks = join(directory, trials, 'state/tasks')
    return existsSync(tasks) ? readdirSync(tasks) : []
  }

  it('leaves nothing once there was another, and neither do its tasks', async () => {
    const killed = doctor()
    const exit = once(killed, 'exit')
    // It is stopped while it is looked at: by the time of the kill it would have gone on.
    while (readdirSync(directory).flatMap(tasksIn).length === 0) {
      killed.kill('SIGCONT')
      await sleep(1)
      killed.kill('SIGSTOP')
      await eventually(() => assert.equal(statOf(killed.pid ?? 0)?.state, 'T'))
    }
    killed.kill('SIGKILL')
    await exit
    const left = readdirSync(directory)
    assert.equal(left.length, 1)
    const keys = left.flatMap(tasksIn)
    assert.ok(keys.length > 0)
    await once(doctor(), 'exit')
    assert.deepEqual(readdirSync(directory), [])
    for (const key of keys) {
      assertNothingLeft(key)
      assert.deepEqual(processesOf(key), [])
    }
  })

  it('is told by its number, its start and its namespace from one that goes on', async () => {
    const ours = makeTrialDirectory()
    const [, pid, startTime, namespace] = /-(\d+)-(\d+)-(\d+)-\w+$/.exec(ours) ?? []
    assert.equal(Number(pid), process.pid)
    const make = (...owner: unknown[]) => {
      const path = join(directory, `holdfast-doctor-${owner.join('-')}-abcdef`)
      mkdirSync(join(path, 'state'), { recursive: true })
      return path
    }
    const another = make(pid, Number(startTime) + 1, namespace)
    const elsewhere = make(4_194_304, 1, Number(namespace) + 1)
    const long = make(4_194_304, 2, Number(namespace) + 1)
    const hoursAgo = new Date(Date.now() - 2 * 3_600_000)
    utimesSync(long, hoursAgo, hoursAgo)
    const foreign = join(directory, 'holdfast-doctor-files')
    mkdirSync(foreign)
    const link = join(directory, `holdfast-doctor-4194304-3-${namespace}-abcdef`)
    symlinkSync(foreign, link)
    await removeLeftTrials()
    assert.deepEqual([ours, another, elsewhere, long, foreign, link].map(existsSync), [
      true,
      false,
      true,
      false,
      true,
      true,
    ])
  })

  it("of another user's is left alone", async function () {
    requires(this, 'root')
    const path = join(directory, `holdfast-doctor-4194304-1-1-abcdef`)
    mkdirSync(path)
    const hoursAgo = new Date(Date.now() - 2 * 3_600_000)
    utimesSync(path, hoursAgo, hoursAgo)
    chownSync(path, ordinaryUid, ordinaryUid)
    await removeLeftTrials()
    assert.ok(existsSync(path))
    chownSync(path, 0, 0)
    await removeLeftTrials()
    assert.ok(!existsSync(path))
  })
})
