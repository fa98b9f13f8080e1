import { strict as assert } from 'node:assert'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { HoldfastError } from '../../../src/index.ts'
import type { LaunchSpec } from '../../../src/spawn/spec.ts'
import { LaunchFailed, type Spawner, SpawnerDied } from '../../../src/spawn/spawner.ts'
import { Launch } from '../../../src/task/effects/launch.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { type FakeTask, fakeTask } from '../../support/fake-task.ts'

const noLog = { base: null, path: '/dev/null' }
const spec = {
  stdout: noLog,
  stderr: noLog,
  cgroups: [],
  credentials: null,
  root: [],
} as unknown as LaunchSpec
const never = new AbortController().signal

/** A task whose requests the test answers, and what became of what it was given. */
class Launching {
  readonly requests: LaunchSpec[] = []
  readonly secret = { name: 'key', bytes: new Uint8Array([1, 2, 3]) }
  readonly source = new PassThrough()
  readonly failures: Error[] = []
  readonly task: FakeTask
  readonly launch: Launch
  begun = 0
  ended = 0
  /** What the task was given at the time of each request. */
  readonly given: number[][] = []

  constructor(answer: (task: FakeTask, request: number) => void, others: Partial<Spawner> = {}) {
    const spawner: Spawner = {
      launch: async asked => {
        this.requests.push(asked)
        this.given.push((asked.secrets ?? []).flatMap(({ bytes }) => [...bytes]))
        answer(this.task, this.requests.length)
        return { end: new Promise(() => {}), gone: new Promise(() => {}) }
      },
      feed: () => ({
        begin: () => {
          this.begun++
          return null
        },
        end: () => this.ended++,
      }),
      scope: async () => null,
      prepare: () => null,
      restarts: 0,
      close: async () => {},
      ...others,
    }
    this.task = fakeTask({ spawner, planner: { plan: async () => ({ spec, enforcement: [] }) } })
    const input = { stream: this.source, failed: (error: Error) => void this.failures.push(error) }
    this.launch = new Launch(this.task, { input, secrets: [this.secret] })
  }

  get isWiped(): boolean {
    return this.secret.bytes.every(byte => byte === 0)
  }
}

const starts = ({ dir }: FakeTask): void => {
  new FakeShim(dir).started(1234)
}

describe('the secrets and the standard input of a launch', () => {
  it('are given to the task, and then its secrets are wiped and its input begins', async () => {
    const launching = new Launching(starts)
    await launching.launch.run(never)
    assert.deepEqual([launching.given, launching.isWiped], [[[1, 2, 3]], true])
    assert.deepEqual([launching.begun, launching.ended], [1, 0])
  })

  it('are given whole to the second spawner as well', async () => {
    const launching = new Launching((task, request) => {
      if (request === 1) throw new SpawnerDied('killed')
      starts(task)
    })
    await launching.launch.run(never)
    assert.deepEqual(launching.given, [
      [1, 2, 3],
      [1, 2, 3],
    ])
    assert.deepEqual([launching.begun, launching.isWiped], [1, true])
  })

  for (const [what, error] of [
    ['the program cannot be run', new LaunchFailed('exec', 2, '/absent')],
    ['the spawner fails', new HoldfastError('UNSUPPORTED', 'no')],
    ['something else is thrown', new Error('no')],
  ] as const)
    it(`are wiped and ended when ${what}`, async () => {
      const launching = new Launching(() => {
        throw error
      })
      await assert.rejects(launching.launch.run(never))
      assert.deepEqual([launching.begun, launching.ended, launching.isWiped], [0, 1, true])
    })

  it('are wiped when the start is abandoned before anybody was asked', async () => {
    const launching = new Launching(starts)
    await assert.rejects(launching.launch.run(AbortSignal.abort(new Error('given up'))), /given up/)
    assert.deepEqual([launching.requests, launching.isWiped, launching.begun], [[], true, 0])
  })

  it('end at once where the supervisor let go while the program was started', async () => {
    const abandoned = new AbortController()
    const launching = new Launching(task => {
      starts(task)
      abandoned.abort()
    })
    assert.equal((await launching.launch.run(abandoned.signal)).startedAt, 1234)
    assert.deepEqual([launching.begun, launching.ended], [0, 1])
  })
})

describe('a launch that does not come about', () => {
  it('asks a second spawner once, no third', async () => {
    const launching = new Launching(() => {
      throw new SpawnerDied('killed')
    })
    await assert.rejects(launching.launch.run(never), { code: 'START_FAILED', stage: 'spawner' })
    assert.equal(launching.requests.length, 2)
    assert.equal(launching.launch.launched, null)
  })

  it('says what the exit record says, whatever the spawner made of it', async () => {
    const launching = new Launching(({ dir }) => {
      const shim = new FakeShim(dir)
      shim.ended({ exitCode: null, failure: { stage: 'mount', errno: 13, detail: '/data' } })
      shim.gone()
      throw new SpawnerDied('killed')
    })
    const error: unknown = await launching.launch.run(never).catch((reason: unknown) => reason)
    const { outcome } = error as { outcome?: { cause: string; failure: { stage: string; errno: string } } }
    assert.deepEqual(
      [outcome?.cause, outcome?.failure.stage, outcome?.failure.errno],
      ['startFailed', 'mount', 'EACCES'],
    )
  })

  it('is no start where a record tells of one and another of its failure', async () => {
    const launching = new Launching(({ dir }) => {
      const shim = new FakeShim(dir)
      shim.started()
      shim.ended({ exitCode: null, failure: { stage: 'exec', errno: 2, detail: '' } })
      shim.gone()
      throw new SpawnerDied('killed')
    })
    await assert.rejects(launching.launch.run(never), (error: object) => 'outcome' in error)
  })

  it('is corrupt where it was reported and its record is gone', async () => {
    const launching = new Launching(task => {
      starts(task)
      rmSync(join(task.dir, 'start.json'))
    })
    await assert.rejects(launching.launch.run(never), { code: 'STATE_CORRUPT', message: /start record/ })
  })

  it('is not taken for running by a record that cannot be believed', async () => {
    const launching = new Launching(({ dir }) => {
      new FakeShim(dir).gone()
      writeFileSync(join(dir, 'start.json'), '{}')
      throw new SpawnerDied('killed')
    })
    await assert.rejects(launching.launch.run(never), { code: 'START_FAILED', stage: 'spawner' })
    assert.equal(launching.requests.length, 1)
  })

  it('leaves nothing where no spawner can be started, and says why in its own words', async () => {
    const launching = new Launching(starts, {
      prepare: () => {
        throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
      },
    })
    await assert.rejects(launching.launch.run(never), { code: 'START_FAILED', errno: 'EMFILE' })
    assert.deepEqual([launching.requests, existsSync(launching.task.dir)], [[], false])
  })
})
