import { strict as assert } from 'node:assert'
import type { RunReport } from '../../src/doctor/host-report.ts'
import { isolationRows, overlayRow, unitRows } from '../../src/doctor/isolation-rows.ts'
import { limitRow, limitTrials } from '../../src/doctor/limit-rows.ts'
import { refusalOf } from '../../src/doctor/trial.ts'
import { type Enforcement, HoldfastError } from '../../src/index.ts'
import type { CgroupHost } from '../../src/platform/linux/cgroup-mode.ts'
import type { DiskFinding } from '../../src/platform/linux/disk-way.ts'

const row = (name: string, own: Partial<Enforcement> = {}): Enforcement => ({
  ...{
    name,
    kind: 'isolation',
    requested: 'own',
    status: 'enforced',
    reason: null,
    hint: null,
    chosen: false,
  },
  ...own,
})
const run = (enforcement: readonly Enforcement[], refused: RunReport['refused'] = null): RunReport => ({
  ...{ platform: 'linux', refused, enforcement, weakened: [] },
})
const refused = { why: 'no namespaces', hint: 'sudo' }
const seen = (rows: readonly { name: string; status: string; why: string }[]) =>
  rows.map(({ name, status, why }) => [name, status, why])

describe("doctor's rows of the isolation", () => {
  it('are those of a run without options, but of the network what a task without one gets', () => {
    const weak = row('root', { status: 'weakened', reason: 'no mounts', hint: 'a newer kernel' })
    const own = run([
      row('network', { requested: 'host', status: 'skipped' }),
      weak,
      row('pids', { kind: 'limit' }),
    ])
    const none = run([row('network', { requested: 'none' })])
    assert.deepEqual(isolationRows(own, run([]), none), [
      { name: 'root', status: 'weakened', why: 'no mounts', hint: 'a newer kernel' },
      { name: 'network', status: 'yes', why: 'none', hint: null },
    ])
  })

  it('say why a network of its own was refused, and once why nothing is started at all', () => {
    assert.deepEqual(seen(isolationRows(run([]), run([]), run([], refused))), [
      ['network', 'no', 'no namespaces'],
    ])
    const basic = run([row('user'), row('root'), row('wallTimeMs', { kind: 'limit' })])
    assert.deepEqual(isolationRows(run([], refused), basic, run([])), [
      { name: 'user', status: 'no', why: 'no task is started here', hint: 'sudo' },
      { name: 'root', status: 'no', why: 'no task is started here', hint: 'sudo' },
    ])
  })
})

describe("doctor's row of the overlay", () => {
  it('is what became of a task with one, and why is said once where nothing is started at all', () => {
    const owned = row('workspace', { status: 'weakened', reason: "the owner's", hint: 'a newer kernel' })
    assert.deepEqual(
      [run([row('workspace')]), run([owned]), run([], refused)].map(overlay => overlayRow(overlay, run([]))),
      [
        {
          ...{ name: 'overlay', status: 'yes', hint: null },
          why: 'what a task changes in its workspace is kept apart',
        },
        { name: 'overlay', status: 'weakened', why: "the owner's", hint: 'a newer kernel' },
        { name: 'overlay', status: 'no', ...refused },
      ],
    )
    assert.equal(overlayRow(run([row('workspace')]), run([], refused)).why, 'no task is started here')
  })
})

describe("doctor's row of the unit", () => {
  const unit = { name: 'web.service', killMode: 'control-group' }
  const scoped = { managed: true, defaultRun: run([row('scope')]) }

  it('is there in a unit alone, and warns of one that kills what it finds', () => {
    assert.deepEqual(unitRows(null, scoped), [])
    const [only] = unitRows(unit, { managed: false, defaultRun: run([]) })
    assert.equal(only?.status, 'weakened')
    assert.match(`${only.why} ${only.hint}`, /KillMode=control-group: .*systemctl edit web\.service/)
  })

  it('is content with one that kills its first process alone, and with tasks in scopes of their own', () => {
    for (const killMode of ['process', 'none'])
      assert.equal(unitRows({ ...unit, killMode }, { managed: false, defaultRun: run([]) })[0]?.status, 'yes')
    assert.match(unitRows(unit, scoped)[0]?.why ?? '', /scope of their own/)
    for (const not of [
      { ...scoped, managed: false },
      { managed: true, defaultRun: run([], refused) },
      { managed: true, defaultRun: run([row('scope', { status: 'skipped' })]) },
    ])
      assert.equal(unitRows(unit, not)[0]?.status, 'weakened')
  })
})

describe("doctor's row of a limit", () => {
  const cgroups: CgroupHost = {
    ...{ mode: 'v1', v1: new Map([['memory', '/cg/memory']]), v2: null, unusable: new Map() },
  }
  const host = { cgroups, disk: { way: 'image', why: null } as DiskFinding, refused: null }
  const limit = (own: Partial<Enforcement> = {}) => run([row('memoryBytes', { kind: 'limit', ...own })])
  const of = (
    ...[controller, report, own = {}]: [
      string | null,
      RunReport | null,
      Partial<{ refused: typeof refused; disk: DiskFinding }>?,
    ]
  ) => seen([limitRow(controller, report, { ...host, ...own })])

  it('says by what it is enforced, and why it is not', () => {
    assert.deepEqual(of('memory', limit()), [['cgroup.memory', 'yes', 'memory at /cg/memory']])
    assert.deepEqual(of(null, limit()), [['disk', 'yes', 'a file system for each task that asks']])
    const disk = { way: 'image', why: 'the file system has no project quota (ESRCH)' } as const
    assert.deepEqual(of(null, limit(), { disk }), [
      ['disk', 'yes', `a file system for each task that asks: ${disk.why}`],
    ])
    assert.deepEqual(of(null, limit(), { disk: { way: 'project', why: null } }), [
      ['disk', 'yes', 'a project quota for each task that asks'],
    ])
    assert.deepEqual(of(null, limit(), { disk: { reason: 'no loop device', hint: 'modprobe loop' } }), [
      ['disk', 'no', 'no loop device'],
    ])
    assert.deepEqual(of('memory', limit({ status: 'skipped', reason: 'no controller' })), [
      ['cgroup.memory', 'no', 'no controller'],
    ])
  })

  it('says so where nothing was tried, the trial was refused, or its start says nothing', () => {
    assert.deepEqual(of('io', null), [['cgroup.io', 'no', 'this host shows no disk that could be limited']])
    assert.deepEqual(of('io', run([], refused)), [['cgroup.io', 'no', 'no namespaces']])
    assert.deepEqual(of('io', run([])), [['cgroup.io', 'no', 'its start says nothing of it']])
    assert.deepEqual(of('io', limit(), { refused }), [['cgroup.io', 'no', 'no task is started here']])
  })

  it('is tried by limits that this host takes', () => {
    const asked = limitTrials.map(({ controller, limits }) => [controller, limits()] as const)
    assert.deepEqual(
      asked.map(([controller]) => controller),
      ['cpu', 'cpuset', 'memory', 'pids', 'io', null],
    )
    for (const [controller, limits] of asked) if (controller !== 'io') assert.ok(limits, `${controller}`)
  })
})

describe('a trial that was refused', () => {
  it('says so in the words of the start', () => {
    const error = new HoldfastError('UNSUPPORTED', 'no', { hint: 'yes' })
    assert.deepEqual(refusalOf(error), { why: 'no', hint: 'yes' })
    assert.deepEqual(refusalOf(new Error('other')), { why: 'Error: other', hint: null })
  })
})
