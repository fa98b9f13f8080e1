import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { Resources } from '../../../src/api.ts'
import { detectCgroups } from '../../../src/platform/linux/cgroup-mode.ts'
import { iopsToWeight, sharesToWeight } from '../../../src/platform/linux/cgroup-v2.ts'
import { CgroupPlanner } from '../../../src/platform/linux/cgroups.ts'
import { cpuBandwidth } from '../../../src/platform/linux/knob.ts'
import { everyLimit, FakeHost, v2Files } from '../fake-host.ts'

describe('limits on cgroup v2', () => {
  let host: FakeHost
  beforeEach(() => {
    host = new FakeHost()
  })
  afterEach(() => host.remove())

  const plan = (resources: Resources) =>
    new CgroupPlanner(detectCgroups(host), host).plan('key', resources, { pidNamespace: true })
  const lines = (resources: Resources) =>
    plan(resources).cgroups.flatMap(({ files }) => files.map(({ name, value }) => `${name}=${value}`))
  const rowOf = (resources: Resources, name: string) => plan(resources).rows.find(row => row.name === name)

  it('writes every limit to its file, in one group', () => {
    host.unified('cpu cpuset io memory pids', v2Files)
    assert.deepEqual(lines(everyLimit), [
      'cpu.weight=20',
      'cpu.max=50000 100000',
      'cpuset.cpus=0',
      'memory.oom.group=1',
      'memory.max=67108864',
      'memory.swap.max=4096',
      'memory.low=8192',
      'pids.max=10',
      'io.weight=910',
      'io.max=8:0 rbps=1 wbps=2 riops=3 wiops=4',
    ])
    const { cgroups, oomFile, freezer } = plan(everyLimit)
    assert.deepEqual(
      cgroups.map(({ dir }) => dir),
      [host.path('unified/holdfast/key')],
    )
    assert.equal(oomFile, host.path('unified/holdfast/key/memory.events'))
    assert.equal(freezer, null)
  })

  it('names the mend that works: what systemd has not delegated to a user no write of the user enables', () => {
    host.unified('cpu memory pids', v2Files)
    const path = '/user.slice/user-1000.slice/user@1000.service/app.slice/holdfast-1.scope'
    for (const place of [path, `${path}/holdfast`]) {
      host.file(`unified${place}/cgroup.controllers`, 'memory pids\n')
      host.file(`unified${place}/cgroup.subtree_control`, 'memory pids\n')
    }
    const planned = (scope: { unit: string; path: string } | null, name: keyof Resources) =>
      new CgroupPlanner(detectCgroups(host), host)
        .plan('key', { [name]: 1 }, { pidNamespace: true, scope })
        .rows.find(row => row.name === name)
    const delegated = planned({ unit: 'holdfast-1.scope', path }, 'cpuLimit')
    assert.equal(delegated?.status, 'skipped')
    assert.match(delegated?.hint ?? '', /Delegate=cpu.*user@\.service {3}# for cpu/)
    assert.equal(planned(null, 'cpuLimit')?.status, 'enforced')
  })

  it('joins the group also when nothing is limited', () => {
    host.unified('cpu memory pids', v2Files)
    assert.deepEqual(
      plan({}).cgroups.map(({ dir }) => dir),
      [host.path('unified/holdfast/key')],
    )
  })

  it('joins the group for the kill where no controller is left', () => {
    host.unified('')
    assert.deepEqual(plan({}).cgroups, [{ dir: host.path('unified/holdfast/key'), files: [] }])
    assert.equal(plan({}).oomFile, null)
  })

  it('takes swap away when memory is limited and nothing was said of swap', () => {
    host.unified('memory', v2Files)
    assert.ok(lines({ memoryBytes: 4096 }).includes('memory.swap.max=0'))
  })

  it('limits swap alone when only that is asked for', () => {
    host.unified('memory', v2Files)
    assert.equal(rowOf({ swapBytes: 1 }, 'swapBytes')?.status, 'enforced')
    assert.ok(lines({ swapBytes: 1 }).includes('memory.swap.max=1'))
  })

  it('has a row per limit, skipped with reason and mend where the controller is missing', () => {
    host.unified('cpu', ['cpu.weight', 'cpu.max'])
    for (const name of ['memoryMB', 'pids', 'cpuset', 'iops', 'io'] as const) {
      const row = rowOf({ [name]: everyLimit[name] }, name)
      assert.equal(row?.status, 'skipped', name)
      assert.match(row?.reason ?? '', /controller is not available/, name)
      assert.notEqual(row?.hint, null, name)
    }
    assert.equal(rowOf({ cpu: 2, cpuLimit: 1 }, 'cpuLimit')?.status, 'enforced')
  })

  it('weakens the memory limit where the kernel does not account swap', () => {
    host.unified('memory', ['memory.max'])
    assert.equal(rowOf({ memoryMB: 1 }, 'memoryMB')?.status, 'weakened')
  })

  it('weakens iops until a disk has io.cost switched on', () => {
    host.unified('io', v2Files)
    assert.equal(rowOf({ iops: 10 }, 'iops')?.status, 'weakened')
    host.file('unified/io.cost.qos', '8:0 enable=1 ctrl=auto\n')
    assert.equal(rowOf({ iops: 10 }, 'iops')?.status, 'enforced')
  })

  it('refuses processors outside the group, which the kernel would ignore without a word', () => {
    host.unified('cpuset', v2Files)
    host.file('unified/holdfast/cpuset.cpus.effective', '0-1\n')
    assert.throws(() => plan({ cpuset: '2' }), { code: 'INVALID_ARGUMENT', hint: 'choose from 0-1' })
  })

  describe('as a kernel would delegate', () => {
    /** Adds up what is switched on, passes it to the group below, and refuses while `busy` says so. */
    function kernel(writes: string[], busy: () => boolean) {
      return (path: string, value: string) => {
        const name = path.slice(host.path('unified').length + 1)
        writes.push(`${value} > ${name}`)
        if (name === 'cgroup.subtree_control' && busy())
          throw Object.assign(new Error('busy'), { code: 'EBUSY' })
        if (!name.endsWith('subtree_control')) return
        host.file(`unified/${name}`, `${readFileSync(path, 'utf8')} ${value.slice(1)}`)
        if (!name.includes('/')) host.file('unified/holdfast/cgroup.controllers', readFileSync(path, 'utf8'))
      }
    }

    beforeEach(() => {
      host.unified('memory pids', v2Files)
      for (const place of ['unified', 'unified/holdfast']) host.file(`${place}/cgroup.subtree_control`, '')
      host.file('unified/holdfast/cgroup.controllers', '')
    })

    it('switches controllers on one at a time, on the way down', () => {
      const writes: string[] = []
      const write = kernel(writes, () => false)
      const { rows } = new CgroupPlanner(detectCgroups(host), { ...host, write }).plan(
        'key',
        { pids: 1 },
        { pidNamespace: true },
      )
      assert.equal(rows[0]?.status, 'enforced')
      assert.deepEqual(writes, [
        '+memory > cgroup.subtree_control',
        '+pids > cgroup.subtree_control',
        '+memory > holdfast/cgroup.subtree_control',
        '+pids > holdfast/cgroup.subtree_control',
      ])
    })

    /**
     * An inner group with these members; who is moved out is no member any more, and without members nobody
     * is busy.
     */
    function inner(members: readonly number[], writes: string[]) {
      host.file('unified/cgroup.type', 'domain\n')
      host.file('unified/cgroup.procs', `${members.join('\n')}\n`)
      host.file('proc/1/stat', '1 (init) S 0 1 1 0')
      host.file('proc/4242/stat', `4242 (a spawner) S ${process.pid} 1 1 0`)
      host.file('proc/4343/stat', '4343 (a stranger) S 1 1 1 0')
      const procs = () => readFileSync(host.path('unified/cgroup.procs'), 'utf8').trim()
      const delegate = kernel(writes, () => procs() !== '')
      return (path: string, pid: string) => {
        delegate(path, pid)
        if (!path.endsWith('cgroup.procs')) return
        const left = procs().split('\n')
        host.file('unified/cgroup.procs', left.filter(member => member !== pid).join('\n'))
      }
    }

    const planWith = (write: (path: string, value: string) => void) =>
      new CgroupPlanner(detectCgroups(host), { ...host, write }).plan(
        'key',
        { pids: 1 },
        { pidNamespace: true },
      )

    it("moves its own processes out of the way of 'no internal processes' before it switches anything on", () => {
      const writes: string[] = []
      const { rows } = planWith(inner([process.pid, 4242], writes))
      assert.equal(rows[0]?.status, 'enforced')
      assert.deepEqual(writes.slice(0, 3), [
        `${process.pid} > holdfast-supervisor/cgroup.procs`,
        '4242 > holdfast-supervisor/cgroup.procs',
        '+memory > cgroup.subtree_control',
      ])
    })

    it('leaves strangers in the group where they are, switches nothing on, and says what it cannot enforce', () => {
      const writes: string[] = []
      const { rows } = planWith(inner([process.pid, 4242, 4343], writes))
      assert.equal(rows[0]?.status, 'skipped')
      assert.match(rows[0]?.reason ?? '', /pids controller is not available/)
      assert.deepEqual(
        writes.filter(line => !line.endsWith('holdfast-supervisor/cgroup.procs')),
        [],
      )
    })

    it('leaves the members of the root of all where they are', () => {
      const writes: string[] = []
      host.file('unified/cgroup.procs', `1\n${process.pid}\n`)
      const { rows } = planWith(kernel(writes, () => false))
      assert.equal(rows[0]?.status, 'enforced')
      assert.deepEqual(
        writes.filter(line => line.includes('cgroup.procs')),
        [],
      )
    })
  })
})

describe('conversions to cgroup v2', () => {
  it('takes shares to weights, end to end', () => {
    assert.deepEqual([2, 1024, 262_144].map(sharesToWeight), [1, 39, 10_000])
    assert.deepEqual([0, 300_000].map(sharesToWeight), [1, 10_000])
  })

  it('takes iops to weights, end to end', () => {
    assert.deepEqual([10, 1000].map(iopsToWeight), [1, 10_000])
  })

  it('keeps the order of shares, and the range of weights', () => {
    const shares = fc.integer({ min: 2, max: 262_144 })
    fc.assert(
      fc.property(shares, shares, (one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)].map(sharesToWeight)
        return low !== undefined && high !== undefined && low >= 1 && high <= 10_000 && low <= high
      }),
    )
  })

  it('finds a quota the kernel takes for any number of cores from 0.001 on, within 0.1 percent and a microsecond', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 512, noNaN: true }), cores => {
        const { periodUs, quotaUs } = cpuBandwidth(cores)
        assert.ok(quotaUs >= 1000 && periodUs >= 1000 && periodUs <= 1_000_000)
        assert.ok(Math.abs(quotaUs - cores * periodUs) <= 0.5 + cores * periodUs * 0.001)
      }),
    )
  })
})
