import assert from 'node:assert/strict'
import type { PlainCommand, Resources } from '../../../src/api.ts'
import { planBasic } from '../../../src/platform/basic/plan.ts'
import { refuses } from '../../support/refuses.ts'
import { everyLimit, FakeHost } from '../fake-host.ts'

describe('a basic plan', () => {
  let host: FakeHost
  beforeEach(() => {
    host = new FakeHost()
  })
  afterEach(() => host.remove())

  type Asked = {
    command?: Partial<PlainCommand>
    resources?: Resources
    strict?: boolean
    self?: { uid: number; gid: number } | null
    byName?: boolean
  }

  function plan({
    command,
    resources,
    strict = false,
    byName = true,
    self = { uid: 1000, gid: 1000 },
  }: Asked = {}) {
    return planBasic(
      {
        ...{ key: 'key', name: 'web', platform: 'basic', strict, durable: true, owner: null, graceMs: 5000 },
        byName,
        ...{
          command: { path: '/bin/true', args: [], env: {}, ...command },
          resources: resources ?? null,
          alloc: host.allocation(),
        },
      },
      '/state/key',
      { self },
    )
  }

  it('isolates nothing, and has a row for each default isolation that says so', async () => {
    const { spec, enforcement } = await plan({ strict: true })
    assert.deepEqual(enforcement.map(({ name }) => name).sort(), [
      ...['capabilities', 'devices', 'namespace.cgroup', 'namespace.ipc', 'namespace.mount', 'namespace.pid'],
      ...['namespace.user', 'namespace.uts', 'network', 'noNewPrivileges', 'root', 'seccomp', 'user'],
    ])
    assert.ok(
      enforcement.every(
        ({ status, chosen, reason, hint }) => status === 'skipped' && chosen && reason && hint,
      ),
    )
    assert.deepEqual(
      (await plan({ self: { uid: 0, gid: 0 } })).enforcement.filter(({ name }) => name === 'namespace.user'),
      [],
    )
    assert.deepEqual(
      [spec.namespaces, spec.root, spec.cgroups, spec.capabilities, spec.credentials],
      [[], [], [], null, null],
    )
  })

  it('is chosen by who calls for it by name; where it is only the best there is, strict refuses it', async () => {
    const { enforcement } = await plan({ byName: false })
    assert.deepEqual(
      enforcement.filter(({ chosen }) => chosen).map(({ name }) => name),
      ['network'],
    )
    await refuses(plan({ byName: false, strict: true }), {
      code: 'ISOLATION_FAILED',
      message: /namespace\.mount.*seccomp/,
    })
    await plan({ byName: true, strict: true })
  })

  it('is not chosen for what it is asked to do all the same: limits, and isolation by its name', async () => {
    for (const command of [
      { namespaces: { pid: true } },
      { capabilities: [] },
      { seccomp: 'default' as const },
    ])
      await refuses(plan({ strict: true, command }), { code: 'ISOLATION_FAILED' })
    await refuses(plan({ strict: true, resources: { pids: 1 } }), { code: 'LIMIT_FAILED' })
  })

  it('starts in the task directory, with the host paths of the two directories in its environment', async () => {
    const { spec } = await plan({
      command: { env: { A: 'b' }, args: ['$NOMAD_ALLOC_DIR'], interpolate: true },
    })
    assert.equal(spec.cwd, host.path('allocation/web'))
    assert.ok(spec.env.includes(`NOMAD_ALLOC_DIR=${host.path('allocation/alloc')}`))
    assert.ok(spec.env.includes(`HOLDFAST_TASK_DIR=${host.path('allocation/web/local')}`))
    assert.deepEqual(spec.argv, ['/bin/true', host.path('allocation/alloc')])
    assert.equal((await plan({ command: { cwd: '/usr' } })).spec.cwd, '/usr')
  })

  it('accepts every limit, ignores it, and says so; the wall time it keeps', async () => {
    const resources = { ...everyLimit, rlimits: { nofile: 5 }, wallTimeMs: 77 }
    const { spec, enforcement } = await plan({ resources })
    const names = [...Object.keys(everyLimit), 'rlimits.nofile']
    assert.deepEqual(
      enforcement
        .filter(({ status, kind }) => status === 'skipped' && kind === 'limit')
        .map(({ name }) => name)
        .sort(),
      names.sort(),
    )
    assert.deepEqual(
      enforcement.filter(({ status }) => status !== 'skipped').map(({ name, status }) => [name, status]),
      [['wallTimeMs', 'enforced']],
    )
    assert.ok(enforcement.every(({ status, reason, hint }) => status === 'enforced' || (reason && hint)))
    assert.deepEqual([spec.wallTimeMs, spec.rlimits], [77, []])
  })

  it('refuses limits and isolation under strict, but not the wall time', async () => {
    await assert.rejects(plan({ strict: true, resources: { memoryMB: 1 } }), {
      code: 'LIMIT_FAILED',
      message: /memoryMB/,
    })
    await assert.rejects(plan({ strict: true, command: { network: 'none' } }), {
      code: 'ISOLATION_FAILED',
      message: /network/,
    })
    assert.equal(
      (await plan({ strict: true, resources: { wallTimeMs: 1 } })).enforcement[0]?.status,
      'enforced',
    )
  })

  it('has a row for each isolation asked for, and takes loosenings as they are', async () => {
    const { enforcement } = await plan({
      command: {
        ...{
          namespaces: { pid: true, mount: false },
          network: 'none',
          root: 'host',
          capabilities: [],
          noNewPrivileges: true,
        },
        ...{
          seccomp: 'default',
          hostname: 'x',
          mounts: [{ source: '/', target: '/m' }],
          tmpfs: [{ target: '/t' }],
          devices: ['/dev/null'],
        },
      },
    })
    const rows = enforcement.map(
      ({ name, reason, chosen }) =>
        `${name}: ${reason === 'asked for' ? 'loose' : chosen ? 'default' : 'not done'}`,
    )
    assert.deepEqual(rows, [
      ...['namespace.user: default', 'namespace.mount: loose', 'namespace.pid: not done'],
      ...['namespace.ipc: default', 'namespace.uts: default', 'namespace.cgroup: default'],
      ...['network: not done', 'root: loose', 'user: default', 'capabilities: not done'],
      ...['noNewPrivileges: not done', 'seccomp: not done', 'devices: not done'],
      ...['hostname: not done', 'mounts: not done', 'tmpfs: not done'],
    ])
  })

  it('keeps its own user, changes it only as root, and says what is needed', async () => {
    assert.equal((await plan({ command: { user: 1000 } })).spec.credentials, null)
    await assert.rejects(plan({ command: { user: 65534 } }), {
      code: 'PERMISSION',
      errno: 'EPERM',
      hint: /run as root/,
    })
    const asRoot = await plan({ command: { user: 65534 }, self: { uid: 0, gid: 0 } })
    assert.equal(asRoot.spec.credentials?.uid, 65534)
    assert.deepEqual(
      asRoot.enforcement.filter(({ name }) => name === 'user').map(({ status }) => status),
      ['enforced'],
    )
    await assert.rejects(plan({ command: { user: 1 }, self: null }), { code: 'UNSUPPORTED' })
  })

  it('leaves a bare name to the shim, which looks it up on the PATH of the task, with the rights of its user', async () => {
    assert.equal((await plan({ command: { path: 'sh', env: { PATH: '/nowhere' } } })).spec.path, 'sh')
  })
})
