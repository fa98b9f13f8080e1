import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { AllocDir, type Command } from '../../src/index.ts'
import { strongest } from '../support/identity.ts'
import { outputOf } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

type Setup = {
  readonly bench: Workbench
  /** What a task has planted links in, and another uses. */
  readonly alloc: AllocDir
  /** A directory of ours, with a link of ours to that allocation: another spelling of it. */
  readonly ours: string
  /** Where the links lead: a directory with a file 0600. */
  readonly secret: string
  /** Starts a task in an allocation of its own. */
  readonly start: (command: Partial<Command>, own?: AllocDir) => Promise<string>
}

/** However the place with the links is spelt, it is the same. */
const spellings: Record<string, (setup: Setup) => string> = {
  'as it is': ({ alloc }) => join(alloc.path, 'web/local'),
  'with slashes and dots': ({ alloc }) => `${alloc.path}/./web//local/.`,
  'through a link of ours': ({ ours }) => join(ours, 'link/web/local'),
  'through /proc/self/root': ({ alloc }) => `/proc/self/root${alloc.path}/web/local`,
  'up and down again': ({ ours, alloc }) =>
    `${ours}/..${alloc.path.slice(join(ours, '..').length)}/web/local`,
}

describe('attack: links that a task planted, on the way to what root mounts, reads and writes', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const whose of ['another allocation', 'its own'])
    for (const [how, spelt] of Object.entries(spellings))
      it(`are not followed in ${whose}, spelt ${how}: mounts, stdin, stdout`, () =>
        withSetup(async each => {
          const { alloc, start, secret } = each
          const own = whose === 'its own' ? alloc : undefined
          const place = spelt(each)
          const attempts: [string, Partial<Command>][] = [
            ['mount', { mounts: [{ source: `${place}/dir`, target: '/m' }] }],
            ['mount', { mounts: [{ source: `${place}/dir/`, target: '/m' }] }],
            ['mount', { mounts: [{ source: `${place}/dir/file`, target: '/m' }] }],
            ['mount', { mounts: [{ source: `${place}/file`, target: '/m' }] }],
            ['stdin', { stdin: `${place}/dir/file` }],
            ['stdin', { stdin: `${place}/file` }],
            ['log', { stdout: `${place}/dir/new` }],
            ['log', { stderr: `${place}/file` }],
          ]
          for (const [stage, command] of attempts) {
            const error = await refuses(start(command, own), { stage })
            assert.match(error.errno ?? '', /^(ELOOP|ENOTDIR|EXDEV)$/, JSON.stringify(command))
          }
          assert.deepEqual(readdirSync(secret), ['file'])
        }))

  it('are named in the error', () =>
    withSetup(async ({ alloc, start }) => {
      const link = join(alloc.path, 'web/local/dir')
      const mounts = [{ source: join(link, 'file'), target: '/m' }]
      const error = await refuses(start({ mounts }), { stage: 'mount', errno: 'ELOOP' })
      assert.ok(error.message.includes(`${link} is a link in an allocation`), error.message)
    }))

  it('control: without a link, what another allocation holds can be mounted, read and written', () =>
    withSetup(async ({ alloc, start, ours }) => {
      const plain = join(alloc.path, 'web/local/plain')
      for (const place of [plain, `${plain}/.`, join(ours, 'link/web/local/plain')]) {
        assert.equal(await start({ mounts: [{ source: place, target: '/m' }] }), 'harmless\n')
        assert.equal(await start({ stdin: `${place}/file`, args: ['-c', 'cat'] }), 'harmless\n')
      }
    }))

  it('a hard link, a FIFO or a device of theirs is not read as standard input, in another allocation either', () =>
    withSetup(async ({ alloc, ours, start }) => {
      const local = join(alloc.path, 'web/local')
      linkSync(join(local, 'plain/file'), join(local, 'hard'))
      execFileSync('mkfifo', [join(local, 'fifo')])
      for (const place of [local, join(ours, 'link/web/local')])
        for (const name of ['hard', 'fifo'])
          await refuses(start({ stdin: join(place, name) }), { stage: 'stdin', errno: 'EINVAL' })
    }))

  it('nor is one followed that another user of the host could have made', async function () {
    requires(this, 'root')
    await withSetup(async ({ ours, secret, start }) => {
      const his = join(ours, 'his')
      mkdirSync(his)
      symlinkSync(secret, join(his, 'dir'))
      const attempt = (name = 'dir') => start({ mounts: [{ source: join(his, name), target: '/m' }] })
      // The control: root's own is.
      assert.equal(await attempt(), 'SECRET\n')
      chownSync(his, 4242, 4242)
      await refuses(attempt(), { stage: 'mount', errno: 'ELOOP' })
      chownSync(his, 0, 0)
      chmodSync(his, 0o777)
      await refuses(attempt(), { stage: 'mount', errno: 'ELOOP' })
      chmodSync(his, 0o1777)
      assert.equal(await attempt(), 'SECRET\n')
      execFileSync('chown', ['-h', '4242:4242', join(his, 'dir')])
      await refuses(attempt(), { stage: 'mount', errno: 'ELOOP' })
    })
  })

  it('control: links of the system and of our own are followed', () =>
    withSetup(async ({ ours, start }) => {
      symlinkSync('../secret', join(ours, 'relative'))
      symlinkSync(join(ours, 'relative'), join(ours, 'twice'))
      for (const name of ['relative', 'twice', 'relative/../secret'])
        assert.equal(
          await start({ mounts: [{ source: join(ours, '.') + `/${name}`, target: '/m' }] }),
          'SECRET\n',
        )
      symlinkSync('loop', join(ours, 'loop'))
      await refuses(start({ stdin: join(ours, 'loop') }), { stage: 'stdin', errno: 'ELOOP' })
    }))
})

async function withSetup(play: (setup: Setup) => Promise<void>): Promise<void> {
  await withWorkbench('linux', async bench => {
    const directory = bench.directory('links')
    const [ours, secret] = [join(directory, 'ours'), join(directory, 'secret')]
    for (const path of [ours, secret]) mkdirSync(path)
    writeFileSync(join(secret, 'file'), 'SECRET\n', { mode: 0o600 })
    const alloc = new AllocDir(join(directory, 'alloc'))
    await alloc.build(['web'])
    symlinkSync(alloc.path, join(ours, 'link'))
    const start = async (command: Partial<Command>, own?: AllocDir): Promise<string> => {
      const task = bench.shell('cat /m/file')
      Object.assign(task.command, { user: strongest }, command)
      if (own !== undefined) await task.configureTaskDir('web', own)
      return outputOf(task)
    }
    const planter = bench.shell(
      `cd /local && ln -s ${secret} dir && ln -s ${secret}/file file && mkdir plain && echo harmless > plain/file && echo ok`,
    )
    planter.command.user = strongest
    await planter.configureTaskDir('web', alloc)
    assert.equal(await outputOf(planter), 'ok\n')
    await play({ bench, alloc, ours, secret, start })
    assert.equal(readFileSync(join(secret, 'file'), 'utf8'), 'SECRET\n')
  })
}
