import assert from 'node:assert/strict'
import type { PlainCommand, Resources } from '../../../src/api.ts'
import { detectCgroups } from '../../../src/platform/linux/cgroup-mode.ts'
import { CgroupPlanner } from '../../../src/platform/linux/cgroups.ts'
import { hostnameOf } from '../../../src/platform/linux/isolation.ts'
import type { Access, Right } from '../../../src/platform/linux/access.ts'
import type { KernelFeatures } from '../../../src/platform/linux/kernel-features.ts'
import { planLinux } from '../../../src/platform/linux/plan.ts'
import { type IdMaps, idMaps } from '../../../src/id-maps.ts'
import { FakeHost, v1Files } from '../fake-host.ts'

const everything: KernelFeatures = {
  namespaces: new Set(['mount', 'pid', 'ipc', 'uts', 'cgroup', 'network']),
  seccomp: true,
  landlock: 7,
}

const asRoot: Access = {
  ...{ right: 'root', self: { uid: 0, gid: 0, groups: [] }, kernel: everything },
  ...{ ownUserOnly: null, maps: idMaps('/nowhere'), limitsCapabilities: true },
}

describe('a plan for Linux', () => {
  let host: FakeHost
  beforeEach(() => {
    host = new FakeHost()
    host.hierarchy('memory', v1Files.memory)
  })
  afterEach(() => host.remove())

  type Asked = {
    command?: Partial<PlainCommand>
    resources?: Resources
    strict?: boolean
    name?: string
    kernel?: KernelFeatures
    uid?: number
    groups?: number[]
    right?: Right
    maps?: IdMaps
  }

  function plan({
    command,
    resources,
    strict = false,
    name = 'web',
    kernel = everything,
    uid = 0,
    groups = [],
    right = uid === 0 ? 'root' : 'user-namespace',
    maps = idMaps('/nowhere'),
  }: Asked = {}) {
    const planner = new CgroupPlanner(detectCgroups(host), host)
    const request = {
      ...{ key: 'key', name, platform: 'linux' as const, strict, durable: true, owner: null, graceMs: 5000 },
      ...{
        command: { path: '/bin/true', args: [], env: {}, ...(uid === 0 && { user: 65534 }), ...command },
        resources: resources ?? null,
        alloc: host.allocation(name),
      },
    }
    return planLinux(request, '/state/key', {
      planner,
      access: {
        ...{ right, self: { uid, gid: uid, groups }, kernel, limitsCapabilities: right !== 'none' },
        maps,
        ownUserOnly: uid === 0 ? null : { reason: 'an ordinary user cannot become another', hint: 'sudo' },
      },
    })
  }

  const row = async (name: string, asked?: Asked) =>
    (await plan(asked)).enforcement.find(entry => entry.name === name)

  it('isolates by default: five namespaces, no capabilities, no new privileges, seccomp, own root and name', async () => {
    const { spec, enforcement } = await plan()
    assert.deepEqual(spec.namespaces, ['mount', 'pid', 'ipc', 'uts', 'cgroup'])
    assert.deepEqual(
      [
        spec.capabilities,
        spec.noNewPrivileges,
        spec.seccomp,
        spec.hostname,
        spec.networkPath,
        spec.cwd,
        spec.umask,
      ],
      [[], true, true, 'web', null, '/', 0o022],
    )
    assert.ok(spec.root.length > 0)
    assert.deepEqual(
      enforcement.map(({ name, status }) => `${name} ${status}`),
      [
        ...['mount', 'pid', 'ipc', 'uts', 'cgroup'].map(name => `namespace.${name} enforced`),
        ...['network skipped', 'root enforced', 'capabilities enforced', 'noNewPrivileges enforced'],
        ...['seccomp enforced', 'devices enforced', 'landlock enforced', 'user enforced'],
      ],
    )
  })

  it('runs as nobody unless told otherwise', async () => {
    const { spec } = await planWithoutUser()
    assert.notEqual(spec.credentials?.uid, 0)
    assert.equal((await row('user', { command: { user: 0 } }))?.reason, 'asked for')
    assert.equal((await plan({ command: { user: 0 } })).spec.credentials?.uid, 0)
  })

  function planWithoutUser() {
    const planner = new CgroupPlanner(detectCgroups(host), host)
    const request = {
      ...{
        key: 'key',
        name: 'web',
        platform: 'linux' as const,
        strict: false,
        durable: true,
        owner: null,
        graceMs: 5000,
      },
      ...{ command: { path: '/bin/true', args: [], env: {} }, resources: null, alloc: host.allocation() },
    }
    return planLinux(request, '/state/key', { planner, access: asRoot })
  }

  it('reports each loosening as asked for, and strict lets it pass', async () => {
    const loose = (command: Partial<PlainCommand>, name: string) => row(name, { command, strict: true })
    const cases: [Partial<PlainCommand>, string][] = [
      ...(['mount', 'pid', 'ipc', 'uts', 'cgroup'] as const).map((name): [Partial<PlainCommand>, string] => [
        { namespaces: { [name]: false } },
        `namespace.${name}`,
      ]),
      [{ network: 'host' }, 'network'],
      [{ root: 'host' }, 'root'],
      [{ noNewPrivileges: false }, 'noNewPrivileges'],
      [{ seccomp: 'off' }, 'seccomp'],
      [{ user: 0 }, 'user'],
    ]
    for (const [command, name] of cases) {
      const found = await loose(command, name)
      assert.deepEqual([found?.status, found?.reason?.split(';')[0]], ['skipped', 'asked for'], name)
    }
  })

  it('carries every loosening into the spec', async () => {
    const command: Partial<PlainCommand> = {
      namespaces: { pid: false, uts: false },
      ...{ root: 'host', noNewPrivileges: false, seccomp: 'off', capabilities: ['CAP_NET_BIND_SERVICE'] },
    }
    const { spec } = await plan({ command })
    assert.deepEqual(spec.namespaces, ['mount', 'ipc', 'cgroup'])
    assert.deepEqual(
      [spec.root, spec.noNewPrivileges, spec.seccomp, spec.capabilities, spec.hostname],
      [[], false, false, [10], null],
    )
    assert.ok(spec.env.includes(`NOMAD_TASK_DIR=${host.path('allocation/web/local')}`))
  })

  it('without network namespaces keeps a task without network from sockets, and says by version what is left', async () => {
    const without = async (command: Partial<PlainCommand>, features: Partial<KernelFeatures> = {}) => {
      const namespaces = new Set([...everything.namespaces].filter(name => name !== 'network'))
      const { spec, enforcement } = await plan({
        command,
        kernel: { ...everything, namespaces, ...features },
      })
      const row = enforcement.find(({ name }) => name === 'network')
      return { offline: spec.offline, status: row?.status, chosen: row?.chosen, reason: row?.reason ?? '' }
    }
    const none = { network: 'none' } as const
    const handed = {
      7: /but for TCP to bind and connect$/,
      4: /TCP to bind and connect, and abstract sockets of others can be reached$/,
      3: /works \(version 3 of Landlock, without TCP: version 4\), and abstract/,
      0: /works \(version 0/,
    }
    for (const [landlock, left] of Object.entries(handed)) {
      const { reason, ...found } = await without(none, { landlock: Number(landlock) })
      assert.deepEqual(found, { offline: true, status: 'weakened', chosen: false }, landlock)
      assert.match(reason, /^this kernel has no network namespaces: .* only unix and netlink sockets;/)
      assert.match(reason, left)
    }
    const bare = { offline: false, status: 'skipped' }
    for (const [command, features, chosen] of [
      [none, { seccomp: false }, false],
      [{ ...none, seccomp: 'off' }, {}, false],
      [{}, {}, true],
    ] as const) {
      const { offline, status, chosen: is } = await without(command, features)
      assert.deepEqual({ offline, status, chosen: is }, { ...bare, chosen })
    }
  })

  it('makes or joins a network namespace', async () => {
    assert.ok((await plan({ command: { network: 'none' } })).spec.namespaces.includes('network'))
    assert.ok(
      (await plan({ command: { namespaces: { network: true } } })).spec.namespaces.includes('network'),
    )
    const joined = await plan({ command: { network: { path: '/run/netns/blue' } } })
    assert.equal(joined.spec.networkPath, '/run/netns/blue')
    assert.equal(joined.spec.namespaces.includes('network'), false)
    assert.equal(joined.enforcement.find(({ name }) => name === 'network')?.status, 'enforced')
  })

  it('skips what the kernel lacks, and refuses under strict', async () => {
    const kernel = { namespaces: new Set(['pid', 'ipc', 'uts', 'cgroup']), seccomp: false }
    const { spec, enforcement } = await plan({ kernel })
    assert.deepEqual([spec.root, spec.seccomp], [[], false])
    const short = enforcement.filter(({ status, name }) => status === 'skipped' && name !== 'network')
    assert.deepEqual(
      short.map(({ name }) => name),
      ['namespace.mount', 'root', 'seccomp', 'devices', 'landlock'],
    )
    assert.deepEqual(
      short.filter(({ hint }) => hint === null),
      [],
    )
    await assert.rejects(plan({ kernel, command: { devices: ['/dev/null'] } }), { code: 'UNSUPPORTED' })
    await assert.rejects(plan({ kernel, strict: true }), {
      code: 'ISOLATION_FAILED',
      message: /namespace\.mount.*seccomp/,
    })
  })

  it('refuses a limit it cannot keep under strict', async () => {
    await assert.rejects(plan({ resources: { pids: 3 }, strict: true }), {
      code: 'LIMIT_FAILED',
      message: /pids/,
    })
  })

  describe('for an ordinary user', () => {
    const own = { uid: 1000 }

    it('isolates in a user namespace, switches no user and binds the devices', async () => {
      const { spec, enforcement } = await plan({ ...own, command: {} })
      assert.deepEqual(spec.namespaces, ['mount', 'pid', 'ipc', 'uts', 'cgroup'])
      assert.deepEqual([spec.credentials, spec.capabilities, spec.seccomp], [null, [], true])
      assert.deepEqual(
        spec.root.filter(({ op }) => op === 'node'),
        [],
      )
      const shared = spec.root[spec.rootShared - 1]
      assert.deepEqual([shared?.op, shared?.at], ['bind', '/proc'])
      const short = enforcement.filter(({ status, chosen }) => status !== 'enforced' && !chosen)
      assert.deepEqual(
        short.map(({ name, status }) => [name, status]),
        [['user', 'weakened']],
      )
    })

    it('says which groups the task keeps', async () => {
      const found = await row('groups', { ...own, groups: [27, 100], command: {} })
      assert.match(found?.reason ?? '', /27, 100/)
    })

    it('takes its own user by number, and refuses any other', async () => {
      assert.equal((await row('user', { ...own, command: { user: 1000 }, strict: true }))?.status, 'enforced')
      await assert.rejects(plan({ ...own, command: { user: 1001 } }), { code: 'PERMISSION' })
    })

    it('cannot do without the user namespace, and gets it by name', async () => {
      const command = (user: boolean) => ({ namespaces: { user } })
      await assert.rejects(plan({ ...own, command: command(false) }), { code: 'UNSUPPORTED' })
      assert.equal((await row('namespace.user', { ...own, command: command(true) }))?.status, 'enforced')
    })

    it('shows the host’s /proc where the pid namespace is shared: no other can be mounted', async () => {
      const { spec } = await plan({ ...own, command: { namespaces: { pid: false } } })
      assert.deepEqual(
        spec.root.filter(({ op }) => op === 'proc'),
        [],
      )
    })

    it('says that capabilities hold in the namespace only', async () => {
      const found = await row('capabilities', {
        ...own,
        command: { capabilities: ['CAP_CHOWN'] },
      })
      assert.equal(found?.status, 'weakened')
    })
  })

  it('refuses root a user namespace, and options that contradict each other', async () => {
    await assert.rejects(plan({ command: { namespaces: { user: true } } }), { code: 'UNSUPPORTED' })
    const contradictions: Partial<PlainCommand>[] = [
      { hostname: 'x', namespaces: { uts: false } },
      { network: 'none', namespaces: { network: false } },
      { root: 'host', tmpfs: [{ target: '/x' }] },
      { namespaces: { mount: false }, devices: ['/dev/null'] },
      { namespaces: { mount: false }, root: { embed: {} } },
    ]
    for (const command of contradictions)
      await assert.rejects(plan({ command }), { code: 'INVALID_ARGUMENT' }, JSON.stringify(command))
  })

  it('takes path and arguments byte for byte unless told to interpolate', async () => {
    const words = { path: '/$WHO', args: ['$WHO', '${WHO}'], env: { WHO: 'me' } }
    for (const command of [words, { ...words, interpolate: false }]) {
      const { spec } = await plan({ command })
      assert.deepEqual([spec.path, ...spec.argv], ['/$WHO', '/$WHO', '$WHO', '${WHO}'])
    }
  })

  it("interpolates path and arguments from the task's own environment when told to, as the task sees it", async () => {
    const command = {
      ...{ path: '$NOMAD_TASK_DIR/run', args: ['$WHO', '$UNKNOWN'], env: { WHO: 'me' } },
      interpolate: true,
    }
    const { spec } = await plan({ command })
    assert.equal(spec.path, '/local/run')
    assert.deepEqual(spec.argv, ['/local/run', 'me', '$UNKNOWN'])
    assert.ok(spec.env.includes('HOLDFAST_ALLOC_DIR=/alloc'))
    assert.equal((await plan({ command: { ...command, argv0: '-run' } })).spec.argv[0], '-run')
  })

  it('puts logs beneath the allocation, unless the command names a file', async () => {
    const { spec } = await plan({ command: { stderr: '/var/log/x', stdin: '/etc/hostname' } })
    assert.deepEqual(spec.stdout, { base: host.path('allocation'), path: 'alloc/logs/web.stdout' })
    assert.deepEqual(spec.stderr, { base: null, path: '/var/log/x' })
    assert.deepEqual(spec.stdin, { base: null, path: '/etc/hostname' })
    assert.equal((await plan({ command: { stdout: 'null' } })).spec.stdout.path, '/dev/null')
    assert.deepEqual((await plan()).spec.stdin, { base: null, path: '/dev/null' })
  })

  it('opens what lies in the allocation beneath it, however the path is spelled: another task may have planted a link', async () => {
    const base = host.path('allocation')
    const spelled = `${base}/./alloc//data/../data/in`
    const { spec } = await plan({ command: { stdin: spelled, stdout: `${base}/alloc/data/out` } })
    assert.deepEqual(spec.stdin, { base, path: 'alloc/data/in' })
    assert.deepEqual(spec.stdout, { base, path: 'alloc/data/out' })
  })

  it('hands rlimits, wall time and niceness on', async () => {
    const { spec } = await plan({
      resources: { rlimits: { nofile: 10, core: [0, Number.POSITIVE_INFINITY] }, wallTimeMs: 9 },
      command: { nice: 3, oomScoreAdj: 100, umask: 0o077 },
    })
    assert.deepEqual(spec.rlimits, [
      { name: 'nofile', soft: 10, hard: 10 },
      { name: 'core', soft: 0, hard: -1 },
    ])
    assert.deepEqual([spec.wallTimeMs, spec.nice, spec.oomScoreAdj, spec.umask], [9, 3, 100, 0o077])
  })

  it('makes a host name of any task name', () => {
    assert.deepEqual(['web', 'web_1.eu', '--', 'ünï', 'x'.repeat(80)].map(hostnameOf), [
      'web',
      'web-1-eu',
      'task',
      'n',
      'x'.repeat(63),
    ])
  })
})
