import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import type { Resources } from '../../../src/api.ts'
import { detectCgroups } from '../../../src/platform/linux/cgroup-mode.ts'
import { CgroupPlanner } from '../../../src/platform/linux/cgroups.ts'
import { refuseIfStrict } from '../../../src/platform/rows.ts'
import { everyLimit, FakeHost, v1Files } from '../fake-host.ts'

describe('limits on cgroup v1', () => {
  let host: FakeHost
  beforeEach(() => {
    host = new FakeHost()
  })
  afterEach(() => host.remove())

  const planner = () => new CgroupPlanner(detectCgroups(host), host)
  const plan = (resources: Resources, pidNamespace = true) =>
    planner().plan('key', resources, { pidNamespace })
  const written = (resources: Resources) =>
    Object.fromEntries(
      plan(resources).cgroups.map(({ dir, files }) => [
        dir.slice(host.path('cgroup/').length),
        files.map(({ name, value }) => `${name}=${value}`),
      ]),
    )
  const rowOf = (resources: Resources, name: string) => plan(resources).rows.find(row => row.name === name)

  function wholeHost(
    memory: readonly string[] = v1Files.memory,
    blkio: readonly string[] = ['blkio.weight', ...v1Files.blkio],
  ): void {
    host.hierarchy('cpu', v1Files.cpu)
    host.hierarchy('cpuacct')
    cpusetHierarchy('cpuset')
    host.hierarchy('memory', memory)
    host.hierarchy('pids', v1Files.pids)
    host.hierarchy('blkio', blkio)
    host.hierarchy('freezer')
  }

  function cpusetHierarchy(controllers: string): void {
    host.hierarchy(controllers, ['cpuset.cpus', 'cpuset.mems'])
    host.file(`cgroup/${controllers}/cpuset.cpus`, '0-3\n')
    host.file(`cgroup/${controllers}/cpuset.mems`, '0-1\n')
  }

  it('writes every limit to its file, memory before memory and swap', () => {
    wholeHost()
    assert.deepEqual(written(everyLimit), {
      'memory/holdfast/key': [
        'memory.limit_in_bytes=67108864',
        `memory.memsw.limit_in_bytes=${67108864 + 4096}`,
        'memory.kmem.tcp.limit_in_bytes=67108864',
        'memory.soft_limit_in_bytes=8192',
      ],
      'cpuacct/holdfast/key': [],
      'cpu/holdfast/key': ['cpu.shares=512', 'cpu.cfs_period_us=100000', 'cpu.cfs_quota_us=50000'],
      'cpuset/holdfast/key': ['cpuset.cpus=0', 'cpuset.mems=0-1'],
      'pids/holdfast/key': ['pids.max=10'],
      'blkio/holdfast/key': [
        'blkio.weight=100',
        'blkio.throttle.read_bps_device=8:0 1',
        'blkio.throttle.write_bps_device=8:0 2',
        'blkio.throttle.read_iops_device=8:0 3',
        'blkio.throttle.write_iops_device=8:0 4',
      ],
    })
  })

  it('has one row per limit asked for, all enforced on a host that has everything', () => {
    wholeHost()
    const rows = plan({ ...everyLimit, wallTimeMs: 5, rlimits: { nofile: [1, 2] } }).rows.map(row => row)
    assert.deepEqual(
      rows.map(({ name }) => name).sort(),
      [...Object.keys(everyLimit), 'rlimits.nofile', 'wallTimeMs'].sort(),
    )
    assert.deepEqual(
      rows.filter(({ status }) => status !== 'enforced'),
      [],
    )
  })

  it('joins only memory and cpuacct when nothing is limited, the memory one first', () => {
    wholeHost()
    assert.deepEqual(written({}), { 'memory/holdfast/key': [], 'cpuacct/holdfast/key': [] })
    assert.equal(plan({}).cgroups[0]?.dir, host.path('cgroup/memory/holdfast/key'))
    assert.equal(plan({}).oomFile, host.path('cgroup/memory/holdfast/key/memory.oom_control'))
  })

  it('joins with any limit of memory or processors all hierarchies that a runtime wants to see', () => {
    wholeHost()
    const four = ['cpu', 'cpuacct', 'cpuset', 'memory'].map(name => `${name}/holdfast/key`)
    for (const limits of [{ memoryMB: 64 }, { cpuLimit: 1 }, { cpu: 100 }, { cpuset: '0' }])
      assert.deepEqual(Object.keys(written(limits)).sort(), four, JSON.stringify(limits))
    assert.deepEqual(written({ memoryMB: 64 })['cpuset/holdfast/key'], ['cpuset.cpus=0-3', 'cpuset.mems=0-1'])
    assert.deepEqual(Object.keys(written({ pids: 9 })).sort(), [
      'cpuacct/holdfast/key',
      'memory/holdfast/key',
      'pids/holdfast/key',
    ])
  })

  it('does not for a caller of a real-time policy, whom cpu would not take in', () => {
    wholeHost()
    const stat = (policy: number) => `7 (a) b) S ${'0 '.repeat(37)}${policy} 0\n`
    for (const [policy, joins] of [
      [0, true],
      [1, false],
      [2, false],
      [3, true],
      [6, false],
    ] as const) {
      host.file('proc/self/stat', stat(policy))
      assert.equal('cpu/holdfast/key' in written({ memoryMB: 64 }), joins, `policy ${policy}`)
    }
  })

  it('joins the freezer only where no pid namespace makes the kill complete', () => {
    wholeHost()
    assert.equal(plan({}).freezer, null)
    const without = plan({}, false)
    assert.equal(without.freezer, host.path('cgroup/freezer/holdfast/key'))
    assert.ok(without.cgroups.some(({ dir }) => dir === without.freezer))
  })

  it('joins a co-mounted hierarchy once', () => {
    host.hierarchy('cpu,cpuacct', v1Files.cpu)
    host.hierarchy('memory', v1Files.memory)
    assert.deepEqual(written({ cpu: 100 }), {
      'memory/holdfast/key': [],
      'cpu,cpuacct/holdfast/key': ['cpu.shares=100'],
    })
  })

  it('fills in processors and memory nodes where cpuset is co-mounted with what is joined', () => {
    cpusetHierarchy('cpuset,memory')
    assert.deepEqual(written({}), { 'cpuset,memory/holdfast/key': ['cpuset.cpus=0-3', 'cpuset.mems=0-1'] })
  })

  it('copies processors and memory nodes down to the parent, once', () => {
    wholeHost()
    plan({ cpuset: '0' })
    assert.equal(readFileSync(host.path('cgroup/cpuset/holdfast/cpuset.cpus'), 'utf8'), '0-3')
    assert.equal(readFileSync(host.path('cgroup/cpuset/holdfast/cpuset.mems'), 'utf8'), '0-1')
  })

  it('refuses processors that the host does not have', () => {
    wholeHost()
    assert.throws(() => plan({ cpuset: '0,9' }), {
      code: 'INVALID_ARGUMENT',
      message: /cpuset: got 0,9/,
      hint: 'choose from 0-3',
    })
  })

  it('says that a memory limit is weakened where swap is not accounted', () => {
    wholeHost(['memory.limit_in_bytes', 'memory.kmem.tcp.limit_in_bytes'])
    const row = rowOf({ memoryBytes: 1 << 20 }, 'memoryBytes')
    assert.equal(row?.status, 'weakened')
    assert.match(row?.reason ?? '', /swap/)
    assert.match(row?.hint ?? '', /swapaccount=1/)
    assert.deepEqual(written({ memoryBytes: 1 << 20 })['memory/holdfast/key'], [
      'memory.limit_in_bytes=1048576',
      'memory.kmem.tcp.limit_in_bytes=1048576',
    ])
  })

  it('says that a memory limit is weakened where the buffers of TCP connections are not limited', () => {
    wholeHost(['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'])
    const row = rowOf({ memoryBytes: 1 << 20 }, 'memoryBytes')
    assert.equal(row?.status, 'weakened')
    assert.match(row?.reason ?? '', /TCP/)
  })

  it('skips a swap limit without a memory limit: memory and swap are one number on v1', () => {
    wholeHost()
    const row = rowOf({ swapBytes: 0 }, 'swapBytes')
    assert.deepEqual([row?.status, row?.hint], ['skipped', 'set memoryBytes too'])
  })

  it('skips iops where the kernel has no weight file', () => {
    wholeHost(v1Files.memory, v1Files.blkio)
    const row = rowOf({ iops: 10 }, 'iops')
    assert.equal(row?.status, 'skipped')
    assert.match(row?.reason ?? '', /blkio\.weight/)
  })

  it('weakens iops where no disk heeds the bfq weight, and not where one does', () => {
    wholeHost(v1Files.memory, ['blkio.bfq.weight'])
    assert.equal(rowOf({ iops: 10 }, 'iops')?.status, 'weakened')
    host.file('sys/block/sda/queue/scheduler', 'none mq-deadline [bfq]\n')
    assert.equal(rowOf({ iops: 10 }, 'iops')?.status, 'enforced')
  })

  it('skips limits of controllers that are not mounted, with the command that mounts them', () => {
    host.hierarchy('memory', v1Files.memory)
    for (const name of ['cpu', 'cpuLimit', 'pids', 'cpuset', 'iops', 'io'] as const) {
      const row = rowOf({ [name]: everyLimit[name] }, name)
      assert.equal(row?.status, 'skipped', name)
      assert.match(row?.reason ?? '', /not mounted/, name)
      assert.match(row?.hint ?? '', /mount -t cgroup -o/, name)
    }
  })

  it('gives the reason where a hierarchy is mounted read-only', () => {
    host.mount('cgroup/pids', 'cgroup', 'rw,pids', 'ro')
    assert.match(rowOf({ pids: 5 }, 'pids')?.reason ?? '', /read-only/)
  })

  it('refuses under strict, naming every row that falls short, and makes no group for the task', () => {
    host.hierarchy('memory', ['memory.limit_in_bytes'])
    const { rows } = plan({ pids: 5, memoryMB: 1 })
    assert.throws(() => refuseIfStrict(rows, true), {
      code: 'LIMIT_FAILED',
      message: /memoryMB .*swap.*; pids|pids.*; memoryMB/,
    })
    assert.equal(refuseIfStrict(rows, false).length, 2)
    assert.equal(existsSync(host.path('cgroup/memory/holdfast/key')), false)
  })

  it('makes its parent anew when someone has removed it', () => {
    wholeHost()
    const same = planner()
    same.plan('one', {}, { pidNamespace: true })
    rmSync(host.path('cgroup/memory/holdfast'), { recursive: true })
    same.plan('two', {}, { pidNamespace: true })
    assert.ok(existsSync(host.path('cgroup/memory/holdfast')))
  })

  it('plans no cgroup at all on a host without any', () => {
    const { cgroups, oomFile, rows } = plan({ memoryMB: 1 })
    assert.deepEqual([cgroups, oomFile], [[], null])
    assert.equal(rows[0]?.status, 'skipped')
    assert.match(rows[0]?.hint ?? '', /mount -t cgroup2/)
  })

  it('uses cgroup2 for what only it has on a hybrid host', () => {
    host.hierarchy('memory', v1Files.memory)
    host.unified('pids', ['pids.max'])
    const { cgroups, rows } = plan({ pids: 7, memoryMB: 1 })
    assert.deepEqual(
      rows.map(row => row.status),
      ['enforced', 'enforced'],
    )
    assert.ok(
      cgroups.some(({ dir, files }) => dir === host.path('unified/holdfast/key') && files[0]?.value === '7'),
    )
  })
})
