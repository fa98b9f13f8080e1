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

type Scene = {
  readonly bench: Workbench
  /** A directory in which a task has made links, in an allocation. */
  readonly planted: string
  /** Where they lead: `secret`, with a file. */
  readonly secret: string
}

/**
 * Each option that takes a path of the host, used with a link of a task's in its place or on the way there.
 */
const uses: Record<string, (scene: Scene) => Promise<unknown>> = {
  'mounts, the place itself': scene => start(scene, { mounts: [{ source: at(scene, 'dir'), target: '/m' }] }),
  'mounts, on the way': scene => start(scene, { mounts: [{ source: at(scene, 'dir/file'), target: '/m' }] }),
  'workspace, the place itself': scene => start(scene, { workspace: at(scene, 'dir') }),
  'workspace, on the way': scene => start(scene, { workspace: at(scene, 'dir/victim') }),
  'root.embed': scene => start(scene, { root: { embed: { [at(scene, 'dir')]: '/m' } } }),
  devices: scene => start(scene, { devices: [at(scene, 'null')] }),
  stdin: scene => start(scene, { stdin: at(scene, 'dir/file') }),
  stdout: scene => start(scene, { stdout: at(scene, 'dir/new') }),
  stderr: scene => start(scene, { stderr: at(scene, 'file') }),
  'network.path': scene => start(scene, { network: { path: at(scene, 'netns') } }),
  'network.path, on the way': scene => start(scene, { network: { path: at(scene, 'ns/net') } }),
  cgroups: scene => start(scene, { cgroups: [at(scene, 'cgroup')] }),
  'resources.io.device': async scene => {
    const task = scene.bench.command('true')
    await task.limit({ io: [{ device: at(scene, 'disk'), readBps: 1 << 20 }] })
    await task.start()
  },
  'AllocDir, build': scene => new AllocDir(at(scene, 'dir/new')).build(['web']),
  'AllocDir, destroy': scene => new AllocDir(at(scene, 'dir/victim')).destroy(),
  'AllocDir, adopt': async scene => {
    // It is there, and complete.
    const real = new AllocDir(join(scene.secret, 'victim/kept'))
    await real.build(['web'])
    await new AllocDir(at(scene, 'dir/victim/kept')).adopt(['web'])
  },
  'AllocDir, exchanged after it was built': async scene => {
    const place = at(scene, 'plain')
    const alloc = new AllocDir(join(place, 'kept'))
    await alloc.build(['web'])
    renameSync(place, `${place}.moved`)
    symlinkSync(join(scene.secret, 'victim'), place)
    await new AllocDir(join(scene.secret, 'victim/kept')).build(['web'])
    const task = scene.bench.command('/bin/true')
    await task.configureTaskDir('web', alloc)
    await task.start()
  },
  'AllocDir.embed': async scene => {
    const alloc = new AllocDir(join(scene.bench.directory('own'), 'alloc'))
    await alloc.build(['web'])
    await alloc.embed('web', { [at(scene, 'dir/file')]: 'file' })
  },
  stateDir: scene => withState(at(scene, 'dir/state'), state => state.command('true').start()),
  'audit: stateDir': scene => audit({ stateDir: at(scene, 'dir/state'), fix: true }),
  'openTrusted, as --result opens its file': async scene => openTrusted(at(scene, 'dir/new'), 0o1101),
}

describe('attack: a link that a task planted, in every option that takes a path', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const [option, use] of Object.entries(uses))
    it(`${option}: is refused, and nothing is touched where it leads`, function () {
      if (option.includes('device') || option === 'cgroups' || option.startsWith('network'))
        requires(this, 'root')
      return withScene(async scene => {
        const error = await refuses(use(scene), {})
        // Devices are taken in /dev alone.
        const reasons = option.includes('device')
          ? /^INVALID_ARGUMENT$/
          : /^(ELOOP|ENOTDIR|EXDEV|PERMISSION)$/
        assert.match(error.errno ?? error.code, reasons, error.message)
      })
    })

  it('network.path: nor is a FIFO waited for, or anything else opened there that is no namespace', async function () {
    requires(this, 'root')
    await withScene(async scene => {
      execFileSync('mkfifo', [at(scene, 'fifo')])
      writeFileSync(at(scene, 'plain'), '')
      for (const name of ['fifo', 'plain'])
        await refuses(start(scene, { network: { path: at(scene, name) } }), {
          stage: 'network',
          errno: 'EINVAL',
        })
    })
  })

  it('cgroups: nor is a directory a cgroup because a file in it is called so', async function () {
    requires(this, 'root')
    await withScene(async scene => {
      const forged = at(scene, 'forged')
      mkdirSync(forged)
      for (const name of ['cgroup.procs', 'tasks', 'memory.limit_in_bytes'])
        writeFileSync(join(forged, name), 'kept')
      await refuses(start(scene, { cgroups: [forged] }), {
        code: 'INVALID_ARGUMENT',
        message: /the directory of a cgroup/,
      })
      for (const name of readdirSync(forged)) assert.equal(readFileSync(join(forged, name), 'utf8'), 'kept')
    })
  })

  for (const stream of ['stdin', 'stdout', 'stderr'] as const)
    it(`the portable shim does not follow it either: ${stream}`, () =>
      withVariable('HOLDFAST_NATIVE', 'off', () =>
        withScene(async scene => {
          for (const name of ['dir/file', 'file'])
            await refuses(started(scene, 'basic', { [stream]: at(scene, name) }), { errno: 'ELOOP' })
          execFileSync('mkfifo', ['-m', '0666', at(scene, 'fifo')])
          await refuses(started(scene, 'basic', { [stream]: at(scene, 'fifo') }), {})
        }, 'basic'),
      ))

  it('control: the same options take the same places without a link', async function () {
    requires(this, 'root')
    await withScene(
      async scene => {
        const { bench, secret } = scene
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

const at = ({ planted }: Scene, name: string): string => join(planted, name)

function start(scene: Scene, command: Partial<Command>): Promise<void> {
  return started(scene, 'linux', command)
}

function started({ bench }: Scene, _platform: string, command: Partial<Command>): Promise<void> {
  const task = bench.command('/bin/true')
  Object.assign(task.command, bench.platform === 'basic' ? {} : { user: strongest }, command)
  return task.start()
}

async function withState(stateDir: string, body: (state: Supervisor) => Promise<unknown>): Promise<void> {
  const supervisor = new Supervisor({ stateDir })
  await body(supervisor).finally(() => supervisor.close())
}

async function withScene(
  play: (scene: Scene) => Promise<void>,
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
