import assert from 'node:assert/strict'
import { detectCgroups } from '../../../src/platform/linux/cgroup-mode.ts'
import { sampleCgroups } from '../../../src/platform/linux/sample.ts'
import { FakeHost } from '../fake-host.ts'

describe('sampling cgroups', () => {
  let host: FakeHost
  beforeEach(() => {
    host = new FakeHost()
  })
  afterEach(() => host.remove())

  const sample = (...cgroups: string[]) => {
    const { at, ...values } = sampleCgroups(
      { cgroups: cgroups.map(name => host.path(`${name}/holdfast/key`)) },
      detectCgroups(host),
    )
    assert.ok(at instanceof Date)
    return values
  }
  const nothing = {
    ...{ cpuMs: null, cpuPercent: null, memoryBytes: null, memoryPeakBytes: null, memoryLimitBytes: null },
    ...{ pids: null, ioReadBytes: null, ioWriteBytes: null, throttledMs: null, pressure: null },
  }

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
})
