import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { AllocDir, audit, type Command, openTrusted, Supervisor } from '../../src/index.ts'
import { detectCgroups } from '../../src/platform/linux/cgroup-mode.ts'
import { strongest } from '../support/identity.ts'
import { outputOf } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { withVariable } from '../support/variable.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

type Setup = {
  readonly bench: Workbench
  /** A directory in which a task has made links, in an allocation. */
  readonly planted: string
  /** Where they lead: `secret`, with a file. */
  readonly secret: string
}

/**
 * Each option that takes a path of the host, used with a link of a task's in its place or on the way there.
 */
const uses: Record<string, (setup: Setup) => Promise<unknown>> = {
  'mounts, the place itself': setup => start(setup, { mounts: [{ source: at(setup, 'dir'), target: '/m' }] }),
  'mounts, on the way': setup => start(setup, { mounts: [{ source: at(setup, 'dir/file'), target: '/m' }] }),
  'workspace, the place itself': setup => start(setup, { workspace: at(setup, 'dir') }),
  'workspace, on the way': setup => start(setup, { workspace: at(setup, 'dir/victim') }),
  'root.embed': setup => start(setup, { root: { embed: { [at(setup, 'dir')]: '/m' } } }),
  devices: setup => start(setup, { devices: [at(setup, 'null')] }),
  stdin: setup => start(setup, { stdin: at(setup, 'dir/file') }),
  stdout: setup => start(setup, { stdout: at(setup, 'dir/new') }),
  stderr: setup => start(setup, { stderr: at(setup, 'file') }),
  'network.path': setup => start(setup, { network: { path: at(setup, 'netns') } }),
  'network.path, on the way': setup => start(setup, { network: { path: at(setup, 'ns/net') } }),
  cgroups: setup => start(setup, { cgroups: [at(setup, 'cgroup')] }),
  'resources.io.device': async setup => {
    const task = setup.bench.command('true')
    await task.limit({ io: [{ device: at(setup, 'disk'), readBps: 1 << 20 }] })
    await task.start()
  },
  'AllocDir, build': setup => new AllocDir(at(setup, 'dir/new')).build(['web']),
  'AllocDir, destroy': setup => new AllocDir(at(setup, 'dir/victim')).destroy(),
  'AllocDir, adopt': async setup => {
    // It is there, and complete.
    const real = new AllocDir(join(setup.secret, 'victim/kept'))
    await real.build(['web'])
    await new AllocDir(at(setup, 'dir/victim/kept')).adopt(['web'])
  },
  'AllocDir, exchanged after it was built': async setup => {
    const place = at(setup, 'plain')
    const alloc = new AllocDir(join(place, 'kept'))
    await alloc.build(['web'])
    renameSync(place, `${place}.moved`)
    symlinkSync(join(setup.secret, 'victim'), place)
    await new AllocDir(join(setup.secret, 'victim/kept')).build(['web'])
    const task = setup.bench.command('/bin/true')
    await task.configureTaskDir('web', alloc)
    await task.start()
  },
  'AllocDir.embed': async setup => {
    const alloc = new AllocDir(join(setup.bench.directory('own'), 'alloc'))
    await alloc.build(['web'])
    await alloc.embed('web', { [at(setup, 'dir/file')]: 'file' })
  },
  stateDir: setup => withState(at(setup, 'dir/state'), state => state.command('true').start()),
  'audit: stateDir': setup => audit({ stateDir: at(setup, 'dir/state'), fix: true }),
  'openTrusted, as --result opens its file': async setup => openTrusted(at(setup, 'dir/new'), 0o1101),
}

describe('attack: a link that a task planted, in every option that takes a path', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const [option, use] of Object.entries(uses))
    it(`${option}: is refused, and nothing is touched where it leads`, function () {
      if (option.includes('device') || option === 'cgroups' || option.startsWith('network'))
        requires(this, 'root')
      return withSetup(async setup => {
        const error = await refuses(use(setup), {})
        // Devices are taken in /dev alone.
        const reasons = option.includes('device')
          ? /^INVALID_ARGUMENT$/
          : /^(ELOOP|ENOTDIR|EXDEV|PERMISSION)$/
        assert.match(error.errno ?? error.code, reasons, error.message)
      })
    })

  it('network.path: nor is a FIFO waited for, or anything else opened there that is no namespace', async function () {
    requires(this, 'root')
    await withSetup(async setup => {
      execFileSync('mkfifo', [at(setup, 'fifo')])
      writeFileSync(at(setup, 'plain'), '')
      for (const name of ['fifo', 'plain'])
        await refuses(start(setup, { network: { path: at(setup, name) } }), {
          stage: 'network',
          errno: 'EINVAL',
        })
    })
  })

  it('cgroups: nor is a directory a cgroup because a file in it is called so', async function () {
    requires(this, 'root')
    await withSetup(async setup => {
      const forged = at(setup, 'forged')
      mkdirSync(forged)
      for (const name of ['cgroup.procs', 'tasks', 'memory.limit_in_bytes'])
        writeFileSync(join(forged, name), 'kept')
      await refuses(start(setup, { cgroups: [forged] }), {
        code: 'INVALID_ARGUMENT',
        message: /the directory of a cgroup/,
      })
      for (const name of readdirSync(forged)) assert.equal(readFileSync(join(forged, name), 'utf8'), 'kept')
    })
  })

  for (const stream of ['stdin', 'stdout', 'stderr'] as const)
    it(`the portable shim does not follow it either: ${stream}`, () =>
      withVariable('HOLDFAST_NATIVE', 'off', () =>
        withSetup(async setup => {
          for (const name of ['dir/file', 'file'])
            await refuses(started(setup, 'basic', { [stream]: at(setup, name) }), { errno: 'ELOOP' })
          execFileSync('mkfifo', ['-m', '0666', at(setup, 'fifo')])
          await refuses(started(setup, 'basic', { [stream]: at(setup, 'fifo') }), {})
        }, 'basic'),
      ))

  it('control: the same options take the same places without a link', async function () {
    requires(this, 'root')
    await withSetup(
      async setup => {
        const { bench, secret } = setup
        const task = bench.shell('cat; cat /m/file; readlink /proc/self/ns/net')
        const mounts = [{ source: secret, target: '/m' }]
        const files = { stdin: join(secret, 'file'), network: { path: `/proc/${process.pid}/ns/net` } }
        Object.assign(task.command, { user: strongest, mounts, devices: ['/dev/null'], ...files })
        assert.equal(await outputOf(task), `SECRET\nSECRET\n${readlinkSync('/proc/self/ns/net')}\n`)
        const alloc = new AllocDir(join(secret, 'alloc'))
        await alloc.build(['web'])
        await alloc.destroy()
        await withState(join(secret, 'state'), async state => {
          const other = state.command('true')
          await other.start()
          await other.wait()
          await other.destroy()
        })
      },
      'linux',
      ['alloc', 'state'],
    )
  })
})

const at = ({ planted }: Setup, name: string): string => join(planted, name)

function start(setup: Setup, command: Partial<Command>): Promise<void> {
  return started(setup, 'linux', command)
}

function started({ bench }: Setup, _platform: string, command: Partial<Command>): Promise<void> {
  const task = bench.command('/bin/true')
  Object.assign(task.command, bench.platform === 'basic' ? {} : { user: strongest }, command)
  return task.start()
}

async function withState(stateDir: string, body: (state: Supervisor) => Promise<unknown>): Promise<void> {
  const supervisor = new Supervisor({ stateDir })
  await body(supervisor).finally(() => supervisor.close())
}

async function withSetup(
  play: (setup: Setup) => Promise<void>,
  platform: 'linux' | 'basic' = 'linux',
  comes: readonly string[] = [],
): Promise<void> {
  await withWorkbench(platform, async bench => {
    const directory = bench.directory('planted')
    const secret = join(directory, 'secret')
    mkdirSync(join(secret, 'victim/kept'), { recursive: true })
    writeFileSync(join(secret, 'file'), 'SECRET\n', { mode: 0o600 })
    const before = readdirSync(secret)
    const alloc = new AllocDir(join(directory, 'alloc'))
    await alloc.build(['web'])
    const cgroup = [...detectCgroups().v1.values()][0] ?? detectCgroups().v2?.mount ?? '/sys/fs/cgroup'
    const links = { dir: secret, file: join(secret, 'file'), null: '/dev/null', disk: aDisk(), cgroup }
    const spaces = { netns: '/proc/1/ns/net', ns: '/proc/1/ns' }
    const planter = bench.shell(
      Object.entries({ ...links, ...spaces })
        .map(([name, to]) => `ln -s ${to} $NOMAD_TASK_DIR/${name} && `)
        .join('') + 'echo ok',
    )
    await planter.configureTaskDir('web', alloc)
    assert.equal(await outputOf(planter), 'ok\n')
    await play({ bench, planted: join(alloc.path, 'web/local'), secret })
    assert.equal(readFileSync(join(secret, 'file'), 'utf8'), 'SECRET\n')
    assert.deepEqual(
      readdirSync(secret).filter(name => !comes.includes(name)),
      before,
    )
    assert.ok(existsSync(join(secret, 'victim/kept')))
  })
}

/** Some block device of this host's, or what would be one. */
function aDisk(): string {
  const name = readdirSync('/sys/block').find(disk =>
    statSync(`/dev/${disk}`, { throwIfNoEntry: false })?.isBlockDevice(),
  )
  return `/dev/${name ?? 'none'}`
}
