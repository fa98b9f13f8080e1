import { strict as assert } from 'node:assert'
import type { StoredSnapshot } from '../../machines/index.ts'
import { createActor } from 'xstate'
import { taskMachine } from '../../machines/index.ts'
import type { Platform, PlatformName, TaskRequest } from '../../src/platform/port.ts'
import { KeepAlive } from '../../src/spawn/keep-alive.ts'
import type { Spawner } from '../../src/spawn/spawner.ts'
import type { TaskParts } from '../../src/task/effects/task-parts.ts'
import { OwnUsers } from '../../src/task/own-users/own-users.ts'
import { StartRecords } from '../../src/task/start-records.ts'
import { StateDirectory } from '../../src/task/task-directory.ts'
import { TaskFile } from '../../src/task/task-file.ts'
import { newTaskKey } from '../../src/task/task-id.ts'
import type { TaskSpec } from '../../src/task/task-spec.ts'
import { temporaryDirectory } from './temporary.ts'

export type FakeTask = TaskParts & {
  readonly state: StateDirectory
  /** What was asked of the platform, in order. */
  readonly calls: string[]
  /** What task.json is written from. */
  view: { snapshot: StoredSnapshot | null; delivered: number }
}

type Fakes = {
  readonly keeper?: Partial<Omit<Platform, 'plan'>>
  readonly planner?: Pick<Platform, 'plan'> & Partial<Pick<Platform, 'recorded'>>
  readonly spawner?: Spawner
  readonly strict?: boolean
  readonly platform?: PlatformName
}

/**
 * The parts of a task of a temporary state directory, of which platform and spawner are the test's. Nothing
 * is on disk yet.
 */
export function fakeTask({
  keeper,
  planner,
  spawner,
  strict = false,
  platform = 'basic',
}: Fakes = {}): FakeTask {
  const state = new StateDirectory(temporaryDirectory('effects'))
  const spec = fakeSpec(state, strict, platform)
  const { key } = spec.request
  const view: FakeTask['view'] = { snapshot: configured(), delivered: 0 }
  const calls: string[] = []
  const actor = {
    persisted: () => view.snapshot,
    get isRecorded() {
      return view.snapshot?.context.outcome?.evidence === 'record'
    },
  }
  const file = new TaskFile(state, { actor, delivered: () => view.delivered }, spec, true)
  const dir = state.taskDirectory(key)
  return {
    state,
    calls,
    view,
    services: {
      state,
      keepAlive: new KeepAlive(),
      ownUsers: new OwnUsers({ first: 0x7000_0000, count: 16, registry: `${state.path}/users` }),
      spawner: () => {
        assert.ok(spawner, 'this test has no spawner')
        return spawner
      },
    },
    dir,
    file,
    records: new StartRecords(dir, () => view.snapshot),
    planner: {
      plan: () => Promise.reject(new Error('this test has no plan')),
      inForce: () => assert.fail('this test reads nothing back'),
      recorded: () => assert.fail('this test reads nothing back'),
      ...planner,
    },
    keeper: {
      name: 'basic',
      update: () => Promise.reject(new Error('this test has no update')),
      probe: () => ({
        sample: () => assert.fail('this test has no samples'),
        detail: () => assert.fail('this test has no samples'),
        close: () => {},
      }),
      killTree: async () => {
        calls.push('killTree')
        return []
      },
      release: async cgroups => {
        calls.push(`release ${cgroups.join(' ')}`)
      },
      ...keeper,
    },
  }
}

/** Its directory with a first task.json, as a launch makes it. */
export function recorded(task: FakeTask): FakeTask {
  task.file.intend({ enforcement: [], logs: task.file.spec.logs, launchers: [] })
  return task
}

/** The stored machine of a task that has not been started. */
export function configured(): StoredSnapshot {
  const actor = createActor(taskMachine, { input: { name: 'web' } })
  actor.start()
  return actor.getPersistedSnapshot() as unknown as StoredSnapshot
}

function fakeSpec(state: StateDirectory, strict: boolean, platform: PlatformName): TaskSpec {
  const key = newTaskKey()
  const { root, ...paths } = { root: state.allocDirectory(key) }
  const request = {
    key,
    name: 'web',
    platform,
    command: { path: '/bin/true', args: [], env: {} },
    resources: null,
    alloc: { root, ...paths } as TaskRequest['alloc'],
    strict,
    durable: false,
    owner: null,
    graceMs: 5000,
  } satisfies TaskRequest
  const noLog = { base: null, path: '' }
  return { request, enforcement: [], logs: { stdout: noLog, stderr: noLog }, ownAlloc: true, launchers: [] }
}
