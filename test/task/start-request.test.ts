import { strict as assert } from 'node:assert'
import { Readable } from 'node:stream'
import type { Command } from '../../src/api.ts'
import {
  draftStart,
  type ExecTarget,
  startSpec,
  type StartDefaults,
  type TaskSettings,
} from '../../src/task/start-request.ts'

const command = (changes: Partial<Command> = {}): Command => ({
  path: '/bin/cat',
  args: [],
  env: {},
  ...changes,
})
const alloc = { root: '/a', shared: '/a/alloc', task: '/a/web', local: '/a/web/local' }
const target = (changes: Partial<Command> = {}): ExecTarget =>
  ({ task: { key: 'k', name: 'web' }, alloc, command: command(changes) }) as unknown as ExecTarget
const settings: TaskSettings = {
  platform: 'basic',
  byName: false,
  orphans: 'keep',
  strict: false,
  preferred: null,
  preferredUser: null,
  bounded: false,
  resources: null,
  name: null,
  alloc: null,
}
const defaults: StartDefaults = { durable: true, defaults: null, shutdown: { graceMs: 5000 } }
const place = { alloc, owner: null }

describe('what is asked of a start', () => {
  it('goes by the name of its program, unless command or executor have one; within a task, by both', () => {
    assert.equal(draftStart(command(), null, null).name, 'cat')
    assert.equal(draftStart(command({ name: 'own' }), null, null).name, 'own')
    assert.equal(draftStart(command({ name: 'own' }), 'executors', null).name, 'executors')
    assert.equal(draftStart(command(), null, target()).name, 'web.cat')
  })

  it('keeps a stream as standard input out of what is stored', () => {
    const stream = Readable.from(['x'])
    const draft = draftStart(command({ stdin: stream }), null, null)
    assert.equal(draft.input, stream)
    assert.equal(draft.command.stdin, undefined)
    assert.equal(startSpec('k', draft, settings, defaults, place).request.fed, true)
    assert.doesNotThrow(() => JSON.stringify(startSpec('k', draft, settings, defaults, place)))
  })

  it('is a copy: what is changed afterwards changes nothing', () => {
    const asked = command({ env: { A: '1' } })
    const draft = draftStart(asked, null, null)
    asked.env.A = '2'
    asked.args.push('late')
    assert.deepEqual([draft.command.env, draft.command.args], [{ A: '1' }, []])
  })

  it('names the field that is wrong', () => {
    assert.throws(() => draftStart(command({ nice: 99 }), null, null), {
      code: 'INVALID_ARGUMENT',
      message: /command\.nice/,
    })
  })

  it('has within a task that one’s isolation, or is refused by the field', () => {
    const ofTask = { hostname: 'web', capabilities: ['CHOWN'] } as Partial<Command>
    assert.doesNotThrow(() => draftStart(command(ofTask), null, target(ofTask)))
    assert.throws(() => draftStart(command({ ...ofTask, hostname: 'x' }), null, target(ofTask)), {
      code: 'INVALID_ARGUMENT',
      message: /command\.hostname/,
    })
  })
})

describe('what is stored of a task before it is started', () => {
  const specOf = (
    changes: Partial<TaskSettings> = {},
    of: Partial<StartDefaults> = {},
    inside: ExecTarget | null = null,
  ) =>
    startSpec(
      'k',
      draftStart(command(), null, inside),
      { ...settings, ...changes },
      { ...defaults, ...of },
      place,
    )

  it('is limited by what it names, then by the supervisor, then by what is preferred, and says which that is', () => {
    const { resources, preferred } = specOf(
      { resources: { pids: 1 }, preferred: { pids: 3, cpu: 3, memoryBytes: 3 } },
      { defaults: { pids: 2, cpu: 2 } },
    ).request
    assert.deepEqual(resources, { pids: 1, cpu: 2, memoryBytes: 3 })
    assert.deepEqual(preferred, ['memoryBytes'])
  })

  it('has within a task no limits but its own', () => {
    const { resources, preferred } = specOf(
      { preferred: { pids: 3 } },
      { defaults: { cpu: 2 } },
      target(),
    ).request
    assert.deepEqual([resources, preferred], [null, undefined])
  })

  it('says whether its directory goes with it: not one that was given, nor that of another task', () => {
    assert.equal(specOf().ownAlloc, true)
    assert.equal(specOf({ alloc }).ownAlloc, false)
    assert.equal(specOf({}, {}, target()).ownAlloc, false)
  })

  it('carries grace, durability, strictness and platform', () => {
    const { request } = specOf(
      { strict: true, byName: true, platform: 'linux' },
      { durable: false, shutdown: { graceMs: 7 } },
    )
    const { strict, byName, platform, durable, graceMs, owner, inside } = request
    assert.deepEqual(
      { strict, byName, platform, durable, graceMs, owner, inside },
      {
        strict: true,
        byName: true,
        platform: 'linux',
        durable: false,
        graceMs: 7,
        owner: null,
        inside: null,
      },
    )
  })
})
