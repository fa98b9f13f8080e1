import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { detectCgroups } from '../../../src/platform/linux/cgroup-mode.ts'
import { CgroupProbe } from '../../../src/platform/linux/cgroup-probe.ts'
import { DescriptorBudget, openFilesLimit } from '../../../src/platform/linux/descriptor-budget.ts'
import { openUnder } from '../../support/descriptors.ts'
import { requires } from '../../support/requires.ts'
import { FakeHost } from '../fake-host.ts'

describe('sampling cgroups', () => {
  let host: FakeHost
  let probes: CgroupProbe[] = []
  beforeEach(() => {
    host = new FakeHost()
  })
  afterEach(() => {
    for (const one of probes) one.close()
    probes = []
    assert.deepEqual(openUnder(host.root), [], 'descriptors that nobody closed')
    host.remove()
  })

  const probe = (budget: DescriptorBudget | undefined, ...cgroups: string[]): CgroupProbe => {
    const task = { cgroups: cgroups.map(name => host.path(`${name}/holdfast/key`)) }
    const made = new CgroupProbe(task, detectCgroups(host), budget)
    probes.push(made)
    return made
  }
  const values = (from: CgroupProbe) => {
    const { at, ...rest } = from.sample()
    assert.ok(at instanceof Date)
    return rest
  }
  /** The same twice over, from the descriptors that were kept and from files that were opened anew. */
  const sample = (...cgroups: string[]) => {
    const kept = probe(undefined, ...cgroups)
    const first = values(kept)
    assert.deepEqual(values(kept), first)
    assert.deepEqual(values(probe(new DescriptorBudget(0), ...cgroups)), first)
    return first
  }
  const nothing = {
    ...{ cpuMs: null, cpuPercent: null, memoryBytes: null, memoryPeakBytes: null, memoryLimitBytes: null },
    ...{ pids: null, ioReadBytes: null, ioWriteBytes: null, throttledMs: null, pressure: null },
  }

  const detail = (...cgroups: string[]) => {
    const { at, ...rest } = probe(undefined, ...cgroups).detail()
    assert.ok(at instanceof Date)
    return rest
  }

  it('tells the parts of what a v1 task uses, with what its exec sessions use', () => {
    for (const name of ['cpu,cpuacct', 'memory']) host.hierarchy(name)
    const file = (name: string, text: string) => host.file(`cgroup/${name}`, text)
    file('cpu,cpuacct/holdfast/key/cpuacct.usage_user', '1500000000\n')
    file('cpu,cpuacct/holdfast/key/cpuacct.usage_sys', '250000000\n')
    file('cpu,cpuacct/holdfast/key/cpu.stat', 'nr_periods 4\nnr_throttled 2\nthrottled_time 250000000\n')
    const stat = 'cache 1\nrss 2\nswap 3\ntotal_cache 100\ntotal_rss 200\ntotal_swap 300\n'
    file('memory/holdfast/key/memory.stat', stat)
    file('memory/holdfast/key/memory.kmem.usage_in_bytes', '400\n')
    assert.deepEqual(detail('cgroup/memory', 'cgroup/cpu,cpuacct'), {
      ...{ cpuUserMs: 1500, cpuSystemMs: 250, throttledPeriods: 2 },
      ...{ anonBytes: 200, fileBytes: 100, kernelBytes: 400, swapBytes: 300 },
    })
  })

  it('tells the parts of what a v2 task uses, and null for a controller that is not there', () => {
    host.unified('cpu memory')
    const file = (name: string, text: string) => host.file(`unified/holdfast/key/${name}`, text)
    file('cpu.stat', 'usage_usec 9000\nuser_usec 6000\nsystem_usec 3000\nnr_periods 0\nnr_throttled 5\n')
    assert.deepEqual(detail('unified'), {
      ...{ cpuUserMs: 6, cpuSystemMs: 3, throttledPeriods: 5 },
      ...{ anonBytes: null, fileBytes: null, kernelBytes: null, swapBytes: null },
    })
    file('memory.stat', 'anon 100\nfile 200\nkernel 300\n')
    file('memory.swap.current', '0\n')
    const { anonBytes, fileBytes, kernelBytes, swapBytes } = detail('unified')
    assert.deepEqual([anonBytes, fileBytes, kernelBytes, swapBytes], [100, 200, 300, 0])
  })

  it('reads v1 files, whatever the order of the groups', () => {
    for (const name of ['cpu,cpuacct', 'memory', 'pids', 'blkio']) host.hierarchy(name)
    host.file('cgroup/cpu,cpuacct/holdfast/key/cpuacct.usage', '1500000000\n')
    host.file(
      'cgroup/cpu,cpuacct/holdfast/key/cpu.stat',
      'nr_periods 4\nnr_throttled 2\nthrottled_time 250000000\n',
    )
    host.file('cgroup/memory/holdfast/key/memory.usage_in_bytes', '4096\n')
    host.file('cgroup/memory/holdfast/key/memory.max_usage_in_bytes', '8192\n')
    host.file('cgroup/memory/holdfast/key/memory.limit_in_bytes', '67108864\n')
    host.file('cgroup/pids/holdfast/key/pids.current', '3\n')
    host.file(
      'cgroup/blkio/holdfast/key/blkio.throttle.io_service_bytes_recursive',
      '8:0 Read 100\n8:0 Write 20\n8:0 Total 120\n8:16 Read 1\n8:16 Write 2\nTotal 123\n',
    )
    assert.deepEqual(sample('cgroup/blkio', 'cgroup/pids', 'cgroup/memory', 'cgroup/cpu,cpuacct'), {
      ...{
        cpuMs: 1500,
        cpuPercent: null,
        memoryBytes: 4096,
        memoryPeakBytes: 8192,
        memoryLimitBytes: 67108864,
      },
      ...{ pids: 3, ioReadBytes: 101, ioWriteBytes: 22, throttledMs: 250, pressure: null },
    })
  })

  it('knows no limit behind the number v1 says for none', () => {
    host.hierarchy('memory')
    host.file('cgroup/memory/holdfast/key/memory.limit_in_bytes', '9223372036854771712\n')
    assert.equal(sample('cgroup/memory').memoryLimitBytes, null)
  })

  it('counts threads in the memory group where the pids controller was not joined', () => {
    host.hierarchy('memory')
    host.hierarchy('pids')
    host.file('cgroup/memory/holdfast/key/memory.usage_in_bytes', '4096\n')
    host.file('cgroup/memory/holdfast/key/tasks', '10\n11\n12\n')
    assert.equal(sample('cgroup/memory').pids, 3)
  })

  it('reads v2 files', () => {
    host.unified('cpu memory pids io')
    const files = {
      'cpu.stat': 'usage_usec 2500\nuser_usec 2000\nthrottled_usec 1000\n',
      'memory.current': '4096\n',
      'memory.peak': '8192\n',
      'memory.max': 'max\n',
      'pids.current': '2\n',
      'cpu.pressure': 'some avg10=1.50 avg60=0.05 avg300=0.01 total=12345\n',
      'io.pressure':
        'some avg10=0.00 avg60=0.00 avg300=0.00 total=2\nfull avg10=0.25 avg60=0.00 avg300=0.00 total=1\n',
      'io.stat':
        '8:0 rbytes=100 wbytes=20 rios=1 wios=1 dbytes=9 dios=0\n8:16 rbytes=1 wbytes=2 rios=1 wios=1 dbytes=0 dios=0\n',
    }
    for (const [name, text] of Object.entries(files)) host.file(`unified/holdfast/key/${name}`, text)
    assert.deepEqual(sample('unified'), {
      ...{ cpuMs: 2.5, cpuPercent: null, memoryBytes: 4096, memoryPeakBytes: 8192, memoryLimitBytes: null },
      ...{ pids: 2, ioReadBytes: 101, ioWriteBytes: 22, throttledMs: 1 },
      pressure: {
        cpu: { somePercent: 1.5, fullPercent: null, someMs: 12.345, fullMs: null },
        memory: null,
        io: { somePercent: 0, fullPercent: 0.25, someMs: 0.002, fullMs: 0.001 },
      },
    })
  })

  it('says null, never 0, for what is gone', () => {
    host.hierarchy('memory')
    host.unified('cpu')
    assert.deepEqual(sample('cgroup/memory', 'unified'), nothing)
    assert.deepEqual(sample(), nothing)
  })

  describe('watched', () => {
    before(function () {
      requires(this, 'linux')
    })

    it('keeps the files open, follows what they say, and closes them', () => {
      host.hierarchy('memory')
      const usage = host.file('cgroup/memory/holdfast/key/memory.usage_in_bytes', '4096\n')
      const limit = host.file('cgroup/memory/holdfast/key/memory.limit_in_bytes', '8192\n')
      const watched = probe(undefined, 'cgroup/memory')
      assert.deepEqual(openUnder(host.root), [], 'nothing is opened before the first sample')
      assert.equal(watched.sample().memoryBytes, 4096)
      assert.deepEqual(openUnder(host.root), [limit, usage])
      writeFileSync(usage, '12288\n')
      writeFileSync(limit, '16384\n')
      const { memoryBytes, memoryLimitBytes } = watched.sample()
      assert.deepEqual([memoryBytes, memoryLimitBytes], [12288, 16384])
      writeFileSync(usage, '5\n')
      assert.equal(watched.sample().memoryBytes, 5, 'nothing of a longer number is left')
      watched.close()
      watched.close()
      assert.deepEqual(openUnder(host.root), [])
    })

    it('finds the files of a controller that is switched on meanwhile, in version 2', () => {
      host.unified('cpu memory')
      host.file('unified/holdfast/key/cgroup.controllers', 'cpu\n')
      host.file('unified/holdfast/key/cpu.stat', 'usage_usec 2500\n')
      const watched = probe(undefined, 'unified')
      assert.equal(watched.sample().memoryBytes, null)
      host.file('unified/holdfast/key/memory.current', '4096\n')
      host.file('unified/holdfast/key/cgroup.controllers', 'cpu memory\n')
      const { cpuMs, memoryBytes } = watched.sample()
      assert.deepEqual([cpuMs, memoryBytes], [2.5, 4096])
    })

    it('never looks at another cgroup that has got the same path', () => {
      host.hierarchy('memory')
      host.unified('cpu')
      host.file('unified/holdfast/key/cpu.stat', 'usage_usec 2500\n')
      const watched = probe(undefined, 'cgroup/memory', 'unified')
      assert.deepEqual([watched.sample().cpuMs, watched.sample().memoryBytes], [2.5, null])
      rmSync(host.path('unified/holdfast/key'), { recursive: true })
      host.file('unified/holdfast/key/cpu.stat', 'usage_usec 9000000\n')
      host.file('cgroup/memory/holdfast/key/memory.usage_in_bytes', '4096\n')
      // These are plain files, which go on answering; a cgroup's say ENODEV: `cgroups of this host` has
      // those.
      assert.deepEqual([watched.sample().cpuMs, watched.sample().memoryBytes], [2.5, null])
    })

    it('reads a file that is longer than expected to its end', () => {
      host.unified('io')
      const devices = Array.from({ length: 2000 }, (_, index) => `8:${index} rbytes=1 wbytes=2 rios=1`)
      host.file('unified/holdfast/key/io.stat', `${devices.join('\n')}\n`)
      const { ioReadBytes, ioWriteBytes } = sample('unified')
      assert.deepEqual([ioReadBytes, ioWriteBytes], [2000, 4000])
    })

    it('opens anew each time beyond the budget, and keeps again once others have let go', () => {
      host.hierarchy('pids')
      const file = host.file('cgroup/pids/holdfast/key/pids.current', '3\n')
      const budget = new DescriptorBudget(1)
      const [first, second] = [probe(budget, 'cgroup/pids'), probe(budget, 'cgroup/pids')]
      assert.deepEqual([first.sample().pids, second.sample().pids], [3, 3])
      assert.deepEqual(openUnder(host.root), [file])
      first.close()
      first.close()
      assert.deepEqual(openUnder(host.root), [])
      assert.deepEqual([second.sample().pids, probe(budget, 'cgroup/pids').sample().pids], [3, 3])
      assert.deepEqual(openUnder(host.root), [file])
    })
  })
})

describe('how many descriptors may be kept', () => {
  it('follows what the process may open', () => {
    const line = (soft: string) =>
      `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${soft}                524288               files     \n`
    assert.equal(openFilesLimit(line('4096')), 4096)
    assert.equal(openFilesLimit(line('unlimited')), Number.POSITIVE_INFINITY)
    assert.equal(openFilesLimit(''), 1024)
  })
})
