import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from '../../../src/api.ts'
import { readHostDirectories } from '../../../src/platform/linux/host-directories.ts'
import { rulesOfRoot } from '../../../src/platform/linux/landlock.ts'
import { rootPlan } from '../../../src/platform/linux/root.ts'
import type { TaskPaths } from '../../../src/platform/port.ts'
import { FakeHost } from '../fake-host.ts'

describe("a task's root", () => {
  let host: FakeHost
  let alloc: TaskPaths
  beforeEach(() => {
    host = new FakeHost()
    alloc = host.allocation()
    for (const name of ['usr/bin', 'usr/lib', 'etc', 'proc/sys', 'proc/irq']) host.directory(name)
    symlinkSync('usr/bin', host.path('bin'))
    symlinkSync('usr/lib', host.path('lib'))
    host.file('proc/keys')
  })
  afterEach(() => host.remove())

  const plan = (command: Partial<Command> = {}, memory: number | null = null) =>
    rootPlan({ path: 'x', args: [], env: {}, ...command }, alloc, {
      memory,
      host: readHostDirectories(host.root),
    })
  const at = (place: string, command?: Partial<Command>, memory?: number | null) =>
    plan(command, memory).ops.filter(op => op.at === place)

  it('binds the system directories read-only, keeps symlinks as symlinks, leaves out what the host lacks', () => {
    const { ops } = plan()
    const named = ops.filter(op =>
      ['/bin', '/sbin', '/etc', '/lib', '/lib32', '/lib64', '/usr'].includes(op.at),
    )
    assert.deepEqual(named, [
      { op: 'symlink', to: 'usr/bin', at: '/bin' },
      { op: 'bind', source: host.path('etc'), base: null, at: '/etc', readOnly: true, devices: false },
      { op: 'symlink', to: 'usr/lib', at: '/lib' },
      { op: 'bind', source: host.path('usr'), base: null, at: '/usr', readOnly: true, devices: false },
    ])
  })

  it('makes /alloc, /local and /tmp writable and nothing else', () => {
    mkdirSync(join(alloc.task, 'data'))
    const writable = plan().ops.flatMap(op => {
      if (op.op === 'bind') return op.readOnly ? [] : [[op.at, op.source]]
      return op.op === 'tmpfs' ? [[op.at, op.mode.toString(8)]] : []
    })
    assert.deepEqual(writable, [
      ['/tmp', '1777'],
      ['/dev/shm', '1777'],
      ['/alloc', alloc.shared],
      ['/local', alloc.local],
    ])
  })

  it('has six device nodes, the usual links, terminals and shared memory of its own', () => {
    const nodes = plan().ops.flatMap(op => (op.op === 'node' ? [`${op.at} ${op.major}:${op.minor}`] : []))
    assert.deepEqual(nodes, [
      '/dev/null 1:3',
      '/dev/zero 1:5',
      '/dev/full 1:7',
      '/dev/random 1:8',
      '/dev/urandom 1:9',
      '/dev/tty 5:0',
    ])
    assert.deepEqual(
      at('/dev/shm').map(({ op }) => op),
      ['dir', 'tmpfs'],
    )
    assert.deepEqual(
      at('/dev/pts').map(({ op }) => op),
      ['dir', 'pts'],
    )
    assert.deepEqual(at('/dev/ptmx'), [{ op: 'symlink', to: 'pts/ptmx', at: '/dev/ptmx' }])
    assert.deepEqual(at('/dev/stdout'), [{ op: 'symlink', to: '/proc/self/fd/1', at: '/dev/stdout' }])
  })

  it('has message queues of its own where it has its own IPC namespace and the kernel has them', () => {
    const queues = (ownIpc: boolean) =>
      rootPlan({ path: 'x', args: [], env: {} }, alloc, {
        memory: null,
        ownIpc,
        host: readHostDirectories(host.root),
      }).ops.filter(({ op }) => op === 'mqueue')
    assert.deepEqual(queues(true), [])
    host.directory('proc/sys/fs/mqueue')
    assert.deepEqual(queues(false), [])
    const [mqueue] = queues(true)
    assert.deepEqual(mqueue, { op: 'mqueue', at: '/dev/mqueue' })
    assert.deepEqual(rulesOfRoot(queues(true)).at(-1), { at: '/dev/mqueue', access: 'write' })
  })

  it('mounts /proc before it masks it, and masks only what the kernel has', () => {
    const proc = plan().ops.filter(op => op.at.startsWith('/proc'))
    assert.deepEqual(proc, [
      { op: 'dir', at: '/proc', mode: 0o755 },
      { op: 'proc', at: '/proc' },
      { op: 'mask', at: '/proc/keys' },
      { op: 'readonly', at: '/proc/irq' },
      { op: 'readonly', at: '/proc/sys' },
    ])
  })

  it('limits /tmp to 512 MiB, or to the memory limit where that is lower, or to what the command says', () => {
    const size = (command?: Partial<Command>, memory?: number) =>
      at('/tmp', command, memory).flatMap(op => (op.op === 'tmpfs' ? [op.sizeBytes] : []))
    assert.deepEqual(size(), [512 * 1024 * 1024])
    assert.deepEqual(size({}, 4096), [4096])
    assert.deepEqual(size({}, 2 ** 40), [512 * 1024 * 1024])
    assert.deepEqual(size({ tmpfs: [{ target: '/tmp/', sizeBytes: 77 }] }, 4096), [77])
  })

  it('has a tmpfs over the mount that it lies inside, and beneath what is mounted inside of it', () => {
    const source = host.path('etc')
    const mounts = ['/data', '/data/in/deep', '/scratch/on', '/same'].map(target => ({ source, target }))
    const tmpfs = ['/data/in', '/scratch', '/same', '/database'].map(target => ({ target }))
    const targets = [...mounts, ...tmpfs].map(({ target }) => target)
    const places = plan({ mounts, tmpfs }).ops.filter(op => targets.includes(op.at))
    assert.deepEqual(
      places.map(({ op, at }) => `${op} ${at}`),
      [
        'tmpfs /database',
        'tmpfs /same',
        'tmpfs /scratch',
        'bind /data',
        'tmpfs /data/in',
        'bind /data/in/deep',
        'bind /scratch/on',
        'bind /same',
      ],
    )
  })

  it("shares all but what is the task's own, as long as that needs no place in the shared part", () => {
    const source = host.path('etc')
    const { ops, shared } = plan({
      mounts: [{ source, target: '/tmp/in' }],
      tmpfs: [{ target: '/local/scratch' }],
    })
    assert.deepEqual(
      ops.slice(shared).map(op => op.at),
      [
        '/proc',
        '/proc/keys',
        '/proc/irq',
        '/proc/sys',
        '/tmp',
        '/dev/shm',
        '/dev/pts',
        '/alloc',
        '/alloc/logs',
        '/local',
        '/local/scratch',
        '/tmp/in',
      ],
    )
    for (const op of ops.slice(0, shared)) assert.ok(op.op !== 'bind' || op.readOnly, op.at)
    assert.deepEqual(ops.slice(0, shared), plan().ops.slice(0, plan().shared))
  })

  it('shares nothing where a mount point of its own is needed', () => {
    const source = host.path('etc')
    for (const command of [
      { mounts: [{ source, target: '/data' }] },
      { mounts: [{ source, target: '/tmpdata' }] },
      { devices: ['/dev/null'] },
      { root: { embed: { [source]: '/etc' } } },
    ])
      assert.equal(plan(command).shared, 0, JSON.stringify(command))
    mkdirSync(join(alloc.task, 'app'))
    assert.equal(plan().shared, 0)
  })

  it('shows the rest of the task directory read-only', () => {
    mkdirSync(join(alloc.task, 'app'))
    writeFileSync(join(alloc.task, 'start.sh'), '')
    symlinkSync('app/current', join(alloc.task, 'link'))
    assert.deepEqual(at('/app'), [
      { op: 'bind', source: join(alloc.task, 'app'), base: null, at: '/app', readOnly: true, devices: false },
    ])
    assert.equal(at('/start.sh').length, 1)
    assert.deepEqual(at('/link'), [{ op: 'symlink', to: 'app/current', at: '/link' }])
  })

  it("skips entries that bear a system directory's name and are none, or the kernel's, with a row each", () => {
    writeFileSync(join(alloc.task, 'etc'), '')
    for (const name of ['proc', 'tmp', 'alloc']) mkdirSync(join(alloc.task, name))
    const { ops, rows } = plan()
    assert.deepEqual(
      ops.filter(op => op.op === 'bind' && op.source.startsWith(`${alloc.task}/`)).map(op => op.at),
      ['/local'],
    )
    assert.deepEqual(
      rows.map(row => [row.requested, row.status]),
      [
        [`${join(alloc.task, 'etc')} at /etc`, 'skipped'],
        [`${join(alloc.task, 'proc')} at /proc`, 'skipped'],
        [`${join(alloc.task, 'tmp')} at /tmp`, 'skipped'],
      ],
    )
  })

  it('embeds what is asked for instead of the system set, read-only, with a row for what is absent', () => {
    const source = host.path('etc')
    const root = { embed: { [source]: 'opt/settings', [host.path('nowhere')]: '/x' } }
    const { ops, rows } = plan({ root })
    assert.deepEqual(ops[0], {
      op: 'bind',
      source,
      base: null,
      at: '/opt/settings',
      readOnly: true,
      devices: false,
    })
    assert.deepEqual(
      ops.filter(op => ['/usr', '/etc', '/bin', '/x'].includes(op.at)),
      [],
    )
    assert.match(rows[0]?.reason ?? '', /nowhere does not exist/)
  })

  it('keeps targets inside the root', () => {
    const source = host.path('etc')
    assert.deepEqual(at('/outside', { mounts: [{ source, target: '/a/../../outside' }] }).length, 1)
    for (const target of ['/', '', '/a/..', '..'])
      assert.throws(() => plan({ mounts: [{ source, target }] }), { code: 'INVALID_ARGUMENT' }, target)
  })

  it('mounts last what the command asks for, writable unless it says otherwise', () => {
    const source = host.path('etc')
    const { ops } = plan({
      mounts: [
        { source, target: '/one' },
        { source, target: '/two', readOnly: true },
      ],
      devices: ['/dev/null'],
    })
    assert.deepEqual(ops.slice(-3), [
      { op: 'bind', source, base: null, at: '/one', readOnly: false, devices: false },
      { op: 'bind', source, base: null, at: '/two', readOnly: true, devices: false },
      { op: 'bind', source: '/dev/null', base: null, at: '/dev/null', readOnly: false, devices: true },
    ])
  })

  it('refuses sources that do not exist and devices that are none', () => {
    const missing = host.path('missing')
    assert.throws(() => plan({ mounts: [{ source: missing, target: '/m' }] }), {
      code: 'INVALID_ARGUMENT',
      path: missing,
    })
    assert.throws(() => plan({ devices: [host.path('etc')] }), {
      code: 'INVALID_ARGUMENT',
      message: /is not a device node/,
    })
  })
})
