import { strict as assert } from 'node:assert'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import type { Enforcement } from '../../../src/api.ts'
import type { PlatformName } from '../../../src/platform/port.ts'
import type { LaunchSpec } from '../../../src/spawn/spec.ts'
import { LaunchFailed, type Spawner, SpawnerDied } from '../../../src/spawn/spawner.ts'
import { adopt } from '../../../src/task/effects/adopt.ts'
import { Launch } from '../../../src/task/effects/launch.ts'
import { enforcedSample } from '../../support/enforced-sample.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { type FakeTask, fakeTask, recorded } from '../../support/fake-task.ts'

const nothing = { input: null, secrets: [] }
const noLog = { base: null, path: '/dev/null' }
/** What a launch looks at; the rest is the spawner's. */
const spec = {
  stdout: noLog,
  stderr: noLog,
  cgroups: [{ dir: '/sys/fs/cgroup/holdfast/none' }],
  credentials: null,
  root: [],
} as unknown as LaunchSpec

const never = new AbortController().signal

/** A task whose requests are answered by the test, one answer a request. */
function launched(...answers: ((task: FakeTask) => void)[]): { task: FakeTask; requests: () => number } {
  let requests = 0
  const spawner: Spawner = {
    launch: async () => {
      // The intent is on disk before anybody is asked.
      assert.ok(existsSync(`${task.dir}/task.json`))
      answers[requests++]?.(task)
      return { end: new Promise(() => {}), gone: new Promise(() => {}) }
    },
    feed: () => assert.fail('nobody feeds it'),
    scope: async () => null,
    prepare: () => null,
    restarts: 0,
    close: async () => {},
  }
  const task = fakeTask({ spawner, planner: { plan: async () => ({ spec, enforcement: [] }) } })
  return { task, requests: () => requests }
}

const starts = ({ dir }: FakeTask): void => {
  new FakeShim(dir).started(1234)
}
const fails = (error: Error) => (): void => {
  throw error
}

const nothingAsked = {
  namespaces: [],
  networkPath: null,
  capabilities: null,
  noNewPrivileges: false,
  seccomp: false,
  rlimits: [],
}

const row: Enforcement = {
  name: 'pids',
  kind: 'limit',
  requested: '20',
  status: 'enforced',
  reason: null,
  hint: null,
  chosen: true,
}

/** A start of which the shim has read back that there is no limit; `text`: of its record, null: none. */
function readBack(
  strict: boolean,
  text: string | null = JSON.stringify(enforcedSample),
  platform: PlatformName = 'linux',
  error: Error | null = null,
): FakeTask {
  const spawner: Spawner = {
    launch: async () => {
      new FakeShim(task.dir).started(1234)
      if (text !== null) writeFileSync(`${task.dir}/enforced.json`, text)
      if (error !== null) throw error
      return { end: new Promise(() => {}), gone: new Promise(() => {}) }
    },
    feed: () => assert.fail('nobody feeds it'),
    scope: async () => null,
    prepare: () => null,
    restarts: 0,
    close: async () => {},
  }
  const task = fakeTask({
    spawner,
    strict,
    platform,
    planner: {
      plan: async () => ({ spec: { ...spec, ...nothingAsked }, enforcement: [row] }),
      recorded: () => [{ ...row, verdict: 'differs', inForce: 'pids.max max' }],
    },
  })
  return task
}

describe('a start whose limits are read back', () => {
  it('says of a row that it is weakened where the kernel says otherwise', async () => {
    const task = readBack(false)
    await new Launch(task, nothing).run(never)
    const [found] = task.file.spec.enforcement
    assert.deepEqual([found?.status, found?.chosen], ['weakened', false])
    assert.equal(found?.reason, 'the kernel says otherwise: pids.max max')
  })

  it('is refused under strict, and the task killed', async () => {
    const task = readBack(true)
    await assert.rejects(new Launch(task, nothing).run(never), {
      code: 'LIMIT_FAILED',
      message: /pids.max max/,
    })
    assert.ok(task.calls.includes('killTree'))
  })

  const unread = [null, '', '{}', JSON.stringify({ ...enforcedSample, version: 2 })]

  it('calls nothing enforced where the shim has read nothing that can be believed, and strict refuses', async () => {
    for (const text of unread) {
      const task = readBack(false, text)
      await new Launch(task, nothing).run(never)
      const [found] = task.file.spec.enforcement
      assert.deepEqual([found?.status, found?.chosen], ['weakened', false])
      assert.match(found?.reason ?? '', /has not been read back/)
      const strict = readBack(true, text)
      await assert.rejects(new Launch(strict, nothing).run(never), {
        code: 'LIMIT_FAILED',
        message: /has not been read back/,
      })
      assert.ok(strict.calls.includes('killTree'))
    }
  })

  it('leaves the rows as they were decided where the shim reads nothing back', async () => {
    for (const text of unread) {
      const task = readBack(true, text, 'basic')
      await new Launch(task, nothing).run(never)
      assert.deepEqual(task.file.spec.enforcement, [row])
    }
  })

  it('is confirmed likewise where its shim died before it could answer', async () => {
    const task = readBack(true, null, 'linux', new SpawnerDied('killed'))
    await assert.rejects(new Launch(task, nothing).run(never), { message: /has not been read back/ })
    assert.ok(task.calls.includes('killTree'))
  })
})

describe('the actor launch', () => {
  it('resolves to the start record', async () => {
    const { task } = launched(starts)
    assert.equal((await new Launch(task, nothing).run(never)).startedAt, 1234)
    assert.deepEqual(task.file.spec.logs.stdout, noLog)
  })

  it('asks once more when the spawner died before any shim was there', async () => {
    const { task, requests } = launched(fails(new SpawnerDied('killed')), starts)
    await new Launch(task, nothing).run(never)
    assert.equal(requests(), 2)
  })

  const dead = (by: number) =>
    new LaunchFailed('fork', 0, `the shim was killed by signal ${by} during set-up`)

  it('asks once more when a shim has died before it had made anything, and never twice', async () => {
    for (const signal of [0, 9]) {
      const { task, requests } = launched(fails(dead(signal)), starts)
      await new Launch(task, nothing).run(never)
      assert.equal(requests(), 2)
    }
    const { task, requests } = launched(fails(dead(9)), fails(dead(9)), starts)
    await assert.rejects(new Launch(task, nothing).run(never), {
      stage: 'fork',
      message: /killed by signal 9/,
    })
    assert.equal(requests(), 2)
  })

  it('does not ask again where a shim has begun, or is not known to be dead', async () => {
    const begun = launched(({ dir }) => {
      writeFileSync(`${dir}/exit.json.tmp`, '')
      throw dead(9)
    }, starts)
    await assert.rejects(new Launch(begun.task, nothing).run(never), { stage: 'fork' })
    assert.equal(begun.requests(), 1)
    const hangs = 'the shim hangs in its set-up, and cannot be killed'
    for (const error of [
      new LaunchFailed('fork', 0, hangs),
      new LaunchFailed('fork', 11, dead(9).detail),
      new LaunchFailed('exec', 0, dead(9).detail),
    ]) {
      const { task, requests } = launched(fails(error), starts)
      await assert.rejects(new Launch(task, nothing).run(never))
      assert.equal(requests(), 1)
    }
  })

  it('does not ask again where a shim has been: the start has failed, and its cgroups are removed', async () => {
    const { task, requests } = launched(({ dir }) => {
      new FakeShim(dir).gone()
      throw new SpawnerDied('killed')
    }, starts)
    await assert.rejects(new Launch(task, nothing).run(never), { code: 'START_FAILED', stage: 'spawner' })
    assert.equal(requests(), 1)
    assert.deepEqual(task.calls, ['release /sys/fs/cgroup/holdfast/none'])
  })

  it('takes for running what left a start record, whatever became of the answer', async () => {
    const { task } = launched(found => {
      starts(found)
      throw new SpawnerDied('killed')
    })
    assert.equal((await new Launch(task, nothing).run(never)).startedAt, 1234)
    assert.deepEqual(task.calls, [])
  })

  it('gives the shim its word: stage and errno of what failed', async () => {
    const { task } = launched(fails(new LaunchFailed('exec', 2, '/no/such')))
    await assert.rejects(new Launch(task, nothing).run(never), { stage: 'exec', errno: 'ENOENT' })
  })

  it('leaves nothing of a start that was refused while it was planned', async () => {
    const task = fakeTask({
      planner: { plan: () => Promise.reject(new Error('no')) },
      spawner: launchlessSpawner,
    })
    const { root } = task.file.spec.request.alloc
    mkdirSync(root, { recursive: true })
    await assert.rejects(new Launch(task, nothing).run(never), { code: 'START_FAILED', stage: 'request' })
    assert.deepEqual([existsSync(root), existsSync(task.dir)], [false, false])
  })

  it('starts nothing that was abandoned while it was planned', async () => {
    const { task, requests } = launched(starts)
    const abandoned = new AbortController()
    const launching = new Launch(task, nothing).run(abandoned.signal)
    abandoned.abort()
    await assert.rejects(launching)
    assert.deepEqual([requests(), existsSync(task.dir)], [0, false])
  })
})

describe('the actor launch of a task that another supervisor starts', () => {
  it('waits for the start record of the shim that lives', async () => {
    const task = recorded(fakeTask())
    const shim = new FakeShim(task.dir)
    const adopting = adopt(task)
    setTimeout(() => shim.started(99), 20)
    assert.equal((await adopting).startedAt, 99)
    shim.gone()
  })

  it('waits until it is read back, and is confirmed as at a start of our own', async () => {
    for (const strict of [false, true]) {
      const differing = { ...row, verdict: 'differs', inForce: 'pids.max max' } as const
      const planner = { plan: () => assert.fail('it is planned'), recorded: () => [differing] }
      const task = recorded(fakeTask({ strict, platform: 'linux', planner }))
      const shim = new FakeShim(task.dir)
      const adopting = adopt(task)
      shim.started(99)
      setTimeout(() => writeFileSync(`${task.dir}/enforced.json`, JSON.stringify(enforcedSample)), 50)
      if (strict) await assert.rejects(adopting, { code: 'LIMIT_FAILED', message: /pids.max max/ })
      else await adopting
      assert.equal(task.file.spec.enforcement[0]?.status, 'weakened')
      assert.deepEqual(task.calls, strict ? ['killTree'] : [])
      assert.match(shim.told().join(), strict ? /^refuse limit strict: .*pids\.max max/ : /^$/)
      shim.gone()
    }
  })

  it('fails when the shim is gone and has left none', async () => {
    const task = recorded(fakeTask())
    new FakeShim(task.dir).gone()
    await assert.rejects(adopt(task), { code: 'START_FAILED' })
    assert.ok(!readdirSync(task.dir).includes('start.json'))
  })
})

const launchlessSpawner: Spawner = {
  launch: () => assert.fail('nobody may be asked'),
  feed: () => assert.fail('nobody feeds it'),
  scope: async () => null,
  prepare: () => null,
  restarts: 0,
  close: async () => {},
}
