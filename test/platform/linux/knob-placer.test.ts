import assert from 'node:assert/strict'
import type { Resources } from '../../../src/api.ts'
import { normalizeLimits } from '../../../src/platform/limits.ts'
import { detectCgroups } from '../../../src/platform/linux/cgroup-mode.ts'
import { CgroupParents } from '../../../src/platform/linux/cgroup-parents.ts'
import { v1Knobs } from '../../../src/platform/linux/cgroup-v1.ts'
import { v2Knobs } from '../../../src/platform/linux/cgroup-v2.ts'
import type { Knob } from '../../../src/platform/linux/knob.ts'
import { KnobPlacer, type KnobValue } from '../../../src/platform/linux/knob-placer.ts'
import { FakeHost, v1Files, v2Files } from '../fake-host.ts'

describe('KnobPlacer', () => {
  let host: FakeHost
  let groups: Map<string, KnobValue[]>
  beforeEach(() => {
    host = new FakeHost()
    groups = new Map()
  })
  afterEach(() => host.remove())

  const placer = (): KnobPlacer => {
    const cgroups = detectCgroups(host)
    return new KnobPlacer(cgroups, new CgroupParents(cgroups, host), host)
  }
  const knobOf = (knobs: readonly Knob[], name: string): Knob =>
    knobs.find(({ files }) => files.some(file => file.name === name)) ?? assert.fail(name)
  const place = (knob: Knob, resources: Resources) =>
    placer().place(
      knob,
      normalizeLimits(resources, device => device),
      { scope: null, groups },
    )
  const written = () =>
    [...groups].map(([dir, files]) => [dir.slice(host.root.length + 1), ...files.map(file => file.name)])

  it('puts a value where the controller is mounted', () => {
    host.hierarchy('pids', v1Files.pids)
    assert.deepEqual(place(knobOf(v1Knobs, 'pids.max'), { pids: 7 }), { status: 'enforced' })
    assert.deepEqual(written(), [['cgroup/pids/holdfast', 'pids.max']])
  })

  it('says nothing of a knob that nobody asked for, and joins no cgroup for it', () => {
    host.hierarchy('pids', v1Files.pids)
    assert.equal(place(knobOf(v1Knobs, 'pids.max'), {}), null)
    assert.deepEqual(written(), [])
  })

  it('leaves each limit of a hybrid host to one version: v1 where it is mounted, v2 for the rest', () => {
    host.hierarchy('memory', v1Files.memory)
    host.unified('pids', v2Files)
    const both = { memoryMB: 1, pids: 7 }
    assert.deepEqual(place(knobOf(v1Knobs, 'memory.limit_in_bytes'), both), { status: 'enforced' })
    assert.equal(place(knobOf(v2Knobs, 'memory.max'), both), null)
    const pids = [v1Knobs, v2Knobs].map(knobs => place(knobOf(knobs, 'pids.max'), both))
    assert.deepEqual(pids, [null, { status: 'enforced' }])
    assert.deepEqual(written(), [
      ['cgroup/memory/holdfast', 'memory.limit_in_bytes'],
      ['unified/holdfast', 'pids.max'],
    ])
  })

  it('knows io and blkio for one controller by two names', () => {
    host.hierarchy('pids', v1Files.pids)
    host.unified('io', v2Files)
    assert.equal(place(knobOf(v1Knobs, 'blkio.weight'), { iops: 100 }), null)
    assert.notEqual(place(knobOf(v2Knobs, 'io.weight'), { iops: 100 }), null)
  })

  it('has one row for what neither version has', () => {
    host.hierarchy('pids', v1Files.pids)
    const outcomes = [v1Knobs, v2Knobs].map(knobs =>
      place(knobs.find(({ limit }) => limit === 'cpu') ?? assert.fail('no cpu'), { cpu: 512 }),
    )
    assert.deepEqual(
      outcomes.map(outcome => outcome?.status ?? null),
      ['skipped', null],
    )
  })

  it('takes of several files the one that something on the host acts on, else the first, and says so', () => {
    host.hierarchy('blkio', ['blkio.weight', 'blkio.bfq.weight'])
    place(knobOf(v1Knobs, 'blkio.weight'), { iops: 100 })
    assert.deepEqual(written(), [['cgroup/blkio/holdfast', 'blkio.weight']])
  })

  it('weakens a weight that no scheduler heeds', () => {
    host.hierarchy('blkio', ['blkio.bfq.weight'])
    assert.equal(place(knobOf(v1Knobs, 'blkio.weight'), { iops: 100 })?.status, 'weakened')
    host.file('sys/block/sda/queue/scheduler', 'none [bfq]\n')
    assert.equal(place(knobOf(v1Knobs, 'blkio.weight'), { iops: 100 })?.status, 'enforced')
  })

  it('says what a limit is worth without a file that the kernel was built without', () => {
    host.hierarchy('memory', ['memory.limit_in_bytes'])
    const swap = place(knobOf(v1Knobs, 'memory.memsw.limit_in_bytes'), { memoryMB: 1, swapBytes: 0 })
    assert.match(JSON.stringify(swap), /weakened.*swapaccount=1/)
    const reserve = place(knobOf(v1Knobs, 'memory.soft_limit_in_bytes'), { memoryReserveBytes: 1 })
    assert.match(JSON.stringify(reserve), /skipped.*offers no memory\.soft_limit_in_bytes/)
  })

  describe('processors', () => {
    beforeEach(() => {
      host.hierarchy('cpuset,cpu', [...v1Files.cpu, 'cpuset.cpus', 'cpuset.mems'])
      for (const at of ['', 'holdfast/']) {
        host.file(`cgroup/cpuset,cpu/${at}cpuset.cpus`, '0-3\n')
        host.file(`cgroup/cpuset,cpu/${at}cpuset.mems`, '0\n')
      }
    })
    const cpuset = () => knobOf(v1Knobs, 'cpuset.cpus')

    it('are refused before anything is started where the host has not all of them', () => {
      assert.throws(() => place(cpuset(), { cpuset: '2-5' }), {
        code: 'INVALID_ARGUMENT',
        message: 'cpuset: got 2-5, but this host offers processors 0-3',
      })
      assert.deepEqual(written(), [])
    })

    it('and memory nodes are set in a cgroup that only shares their hierarchy, and what was asked for stays', () => {
      place(knobOf(v1Knobs, 'cpu.shares'), { cpu: 512 })
      placer().completeCpusets(groups)
      assert.deepEqual(
        [...groups.values()].flat().map(({ name, value }) => `${name}=${value}`),
        ['cpu.shares=512', 'cpuset.cpus=0-3', 'cpuset.mems=0'],
      )
      groups = new Map()
      place(cpuset(), { cpuset: '1' })
      placer().completeCpusets(groups)
      assert.deepEqual(
        [...groups.values()].flat().map(({ name, value }) => `${name}=${value}`),
        ['cpuset.cpus=1', 'cpuset.mems=0'],
      )
    })
  })
})
