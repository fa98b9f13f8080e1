import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from '../../../src/api.ts'
import { readHostDirectories } from '../../../src/platform/linux/host-directories.ts'
import { rulesOfRoot } from '../../../src/platform/linux/landlock.ts'
import { rootPlan } from '../../../src/platform/linux/root.ts'
import type { TaskPaths } from '../../../src/platform/port.ts'
import { requires } from '../../support/requires.ts'
import { FakeHost } from '../fake-host.ts'

describe('directories that a task has of its own and of the system', () => {
  let host: FakeHost
  let alloc: TaskPaths
  before(function () {
    requires(this, 'linux')
  })
  beforeEach(() => {
    host = new FakeHost()
    alloc = host.allocation()
    for (const name of ['usr/bin', 'usr/local/bin', 'etc/ssl/certs', 'etc/app.d']) host.directory(name)
    for (const name of ['etc/passwd', 'etc/hosts', 'usr/bin/sh']) host.file(name)
    symlinkSync('usr/bin', host.path('bin'))
  })
  afterEach(() => host.remove())

  function put(path: string, mode = 0o644): void {
    const file = join(alloc.task, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, '')
    chmodSync(file, mode)
  }
  const plan = (command: Partial<Command> = {}, more: { hostname?: string; isNew?: boolean } = {}) =>
    rootPlan({ path: 'x', args: [], env: {}, ...command }, alloc, {
      memory: null,
      host: readHostDirectories(host.root),
      ...more,
    })
  /** What is done at `top` and below, as words. */
  const below = (top: string, command?: Partial<Command>) =>
    plan(command).ops.flatMap(op => {
      if (op.at !== top && !op.at.startsWith(`${top}/`)) return []
      const source = op.op === 'bind' || op.op === 'entries' ? op.source : op.op === 'symlink' ? op.to : null
      const named = source?.replace(alloc.task, 'TASK').replace(host.root, 'HOST')
      return [[op.op, op.at, ...(named === undefined ? [] : [named])].join(' ')]
    })

  it('are put together entry by entry, the task’s first, and those that it alone has are whole', () => {
    put('etc/app.conf')
    put('etc/app/x.yml')
    put('etc/ssl/certs/own.pem')
    put('usr/local/bin/tool', 0o755)
    assert.deepEqual(below('/etc').toSorted(), [
      'bind /etc/app TASK/etc/app',
      'dir /etc',
      'dir /etc/ssl',
      'dir /etc/ssl/certs',
      'entries /etc HOST/etc',
      'entries /etc/ssl HOST/etc/ssl',
      'entries /etc/ssl/certs HOST/etc/ssl/certs',
      'symlink /etc/app.conf /.holdfast/etc/app.conf',
      'symlink /etc/ssl/certs/own.pem /.holdfast/etc/ssl/certs/own.pem',
    ])
    assert.deepEqual(below('/usr').toSorted(), [
      'bind /usr/local/bin/tool TASK/usr/local/bin/tool',
      'dir /usr',
      'dir /usr/local',
      'dir /usr/local/bin',
      'entries /usr HOST/usr',
      'entries /usr/local HOST/usr/local',
      'entries /usr/local/bin HOST/usr/local/bin',
    ])
    assert.deepEqual(below('/.holdfast'), ['bind /.holdfast/etc TASK/etc'])
    const { ops, shared, rows } = plan()
    assert.deepEqual([shared, rows], [0, []])
    for (const op of ops)
      if (op.op === 'bind' && op.source.startsWith(`${alloc.task}/`) && op.at !== '/local')
        assert.deepEqual([op.base, op.readOnly, op.devices], [alloc.root, true, false], op.at)
    // The entries come after what takes their place.
    assert.ok(
      ops.findIndex(op => op.op === 'entries' && op.at === '/etc') >
        ops.findIndex(op => op.at === '/etc/app.conf'),
    )
    const rules = new Map(rulesOfRoot(ops).map(({ at, access }) => [at, access]))
    assert.deepEqual([rules.get('/etc'), rules.get('/.holdfast/etc')], ['read', 'read'])
  })

  it('may be links on the host, whose directory is shown then', () => {
    put('bin/tool', 0o755)
    symlinkSync('ssl/certs', host.path('etc/pki'))
    put('etc/pki/own.pem')
    assert.deepEqual(below('/bin'), ['dir /bin', 'bind /bin/tool TASK/bin/tool', 'entries /bin HOST/usr/bin'])
    assert.ok(below('/etc').includes('entries /etc/pki HOST/etc/ssl/certs'))
  })

  it('are the task’s alone where the host’s lets not everybody in, or leads out of what a task sees', () => {
    host.directory('etc/private')
    chmodSync(host.path('etc/private'), 0o710)
    host.directory('srv/shown')
    symlinkSync(host.path('srv/shown'), host.path('etc/out'))
    host.directory('etc/behind/open')
    chmodSync(host.path('etc/behind'), 0o700)
    symlinkSync('behind/open', host.path('etc/way'))
    for (const name of ['private', 'out', 'way', 'passwd']) put(`etc/${name}/own`)
    for (const name of ['private', 'out', 'way', 'passwd'])
      assert.deepEqual(below(`/etc/${name}`), [`bind /etc/${name} TASK/etc/${name}`])
    chmodSync(host.path('etc'), 0o750)
    assert.match(plan().rows[0]?.requested.toString() ?? '', /etc at \/etc$/)
  })

  it('keep the links of the task, which nobody follows but the task', () => {
    mkdirSync(join(alloc.task, 'etc'))
    symlinkSync('/root', join(alloc.task, 'etc/ssl'))
    assert.deepEqual(below('/etc'), ['dir /etc', 'symlink /etc/ssl /root', 'entries /etc HOST/etc'])
    put('usr/local/x')
    symlinkSync('/root', join(alloc.task, 'usr/local/bin'))
    assert.ok(below('/usr').includes('symlink /usr/local/bin /root'))
  })

  it('give way to what the command mounts, at a link of the host’s too', () => {
    symlinkSync('/run/resolv.conf', host.path('etc/resolv.conf'))
    for (const name of ['etc/resolv.conf', 'etc/app/x', 'data/own']) put(name)
    const source = host.path('etc/passwd')
    const mounts = ['/etc/resolv.conf', '/etc/app/deep/in', '/data/in'].map(target => ({ source, target }))
    assert.deepEqual(below('/etc', { mounts }).toSorted(), [
      'bind /etc/app/deep/in HOST/etc/passwd',
      'bind /etc/resolv.conf /dev/null',
      'bind /etc/resolv.conf HOST/etc/passwd',
      'dir /etc',
      'dir /etc/app',
      'entries /etc HOST/etc',
      'symlink /etc/app/x /.holdfast/etc/app/x',
    ])
    assert.deepEqual(below('/data', { mounts }), [
      'dir /data',
      'symlink /data/own /.holdfast/data/own',
      'bind /data/in HOST/etc/passwd',
    ])
  })

  it('are covered by nothing of ours where a file is the task’s', () => {
    const isFile = (ops: readonly { op: string; at: string }[]) =>
      ops.some(({ op, at }) => op === 'file' && at === '/etc/hosts')
    assert.ok(isFile(plan({}, { hostname: 'h' }).ops))
    put('etc/hosts')
    assert.ok(!isFile(plan({}, { hostname: 'h' }).ops))
  })

  it('are not looked for in a directory that was made a moment ago, nor in a root of its own making', () => {
    put('etc/app.conf')
    assert.deepEqual(
      plan({}, { isNew: true }).ops.filter(({ op }) => op === 'entries'),
      [],
    )
    const embedded = plan({ root: { embed: { [host.path('etc')]: '/etc' } } })
    assert.deepEqual([embedded.ops.some(({ op }) => op === 'entries'), embedded.rows.length], [false, 1])
  })
})
