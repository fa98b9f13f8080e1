import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AllocDir } from '../../src/index.ts'
import { strongest } from '../support/identity.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { attacker } from './hostile.ts'

describe('attack: the allocation', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const pathInTask of ['local/precious', 'local/deep/tree'])
    it(`what was embedded at ${pathInTask} is the task's own: root in the task cannot change the host's file`, () =>
      withSetup('linux', async ({ bench, alloc, outside }) => {
        await alloc.embed('web', {
          [pathInTask.endsWith('tree') ? outside : join(outside, 'victim-0')]: pathInTask,
        })
        const task = bench.shell(
          'find /local -type f | while read f; do echo stolen > $f; chmod 4777 $f; done; find /local -type f | wc -l',
        )
        task.command.user = strongest
        await task.configureTaskDir('web', alloc)
        assert.ok(Number(await outputOf(task)) > 0)
      }))

  it('what was embedded at the top is read-only for root', () =>
    withSetup('linux', async ({ bench, alloc, outside }) => {
      await alloc.embed('web', { [join(outside, 'victim-0')]: 'precious', [outside]: 'tree' })
      const task = bench.shell(
        'for f in /precious /tree/victim-1; do echo stolen > $f; chmod 777 $f; rm -f $f; done',
      )
      task.command.user = strongest
      await task.configureTaskDir('web', alloc)
      await task.start()
      await task.wait()
      const complaints = (await output(task, 'stderr')).trim().split('\n')
      assert.equal(complaints.length, 6)
      for (const line of complaints) assert.match(line, /Read-only file system|Device or resource busy/)
    }))

  it('embed goes through no link that a task planted', () =>
    withSetup('linux', async ({ bench, alloc, outside }) => {
      const task = bench.shell(`ln -s ${outside} /local/sub`)
      await task.configureTaskDir('web', alloc)
      await outputOf(task)
      await refuses(alloc.embed('web', { '/etc/hostname': 'local/sub/victim-0' }), { code: 'INVALID_STATE' })
    }))

  for (const platform of ['linux', 'basic'] as const)
    it(`destroy removes nothing outside while a task exchanges directories for links (${platform})`, () =>
      withSetup(platform, async ({ bench, alloc, outside }) => {
        const { local } = alloc.taskPaths('web')
        for (const name of ['a', 'b', 'c']) {
          mkdirSync(join(local, name))
          execFileSync(
            'sh',
            ['-c', `for i in $(seq 300); do : > ${name}/$i; done; ln -s ${outside} ${name}-link`],
            { cwd: local },
          )
        }
        const inside = platform === 'linux' ? '/local' : local
        const tasks = ['a', 'b', 'c'].map(name => {
          const task = attacker(bench, 'swapper', [`${inside}/${name}`, `${inside}/${name}-link`])
          Object.assign(task.command, { user: strongest, logs: 'plain' })
          return task
        })
        for (const task of tasks) await task.configureTaskDir('web', alloc)
        for (const task of tasks) await task.start()
        // All three write the same log.
        await untilOutput(tasks[0] ?? assert.fail(), 'ready\nready\nready')
        for (let round = 0; round < 5; round++)
          // It may give up against a living writer; what counts is what it does not touch.
          await alloc.destroy().catch(error => assert.equal(error.code, 'INVALID_STATE'))
        await Promise.all(tasks.map(task => task.forceStop()))
        await alloc.destroy()
        assert.ok(!existsSync(alloc.path))
      }))

  it('names that are no UTF-8 keep nobody from removing a task: they are bytes', () =>
    withSetup('linux', async ({ bench }) => {
      const task = bench.shell(
        'cd /local; f=$(printf "caf\\351"); : > $f; mkdir -p d-$f/$f; ln -s $f d-$f/link; cd /alloc/data; : > $f; ls /local | wc -l',
      )
      assert.equal(await outputOf(task), '2\n')
      await task.destroy()
      assert.deepEqual(bench.keys(), [])
    }))

  it('a mount whose target in /local was made a link is refused, and goes nowhere else', () =>
    withSetup('linux', async ({ bench, alloc, outside }) => {
      const first = bench.shell('ln -s /etc /local/link; mkdir /local/dir; ln -s / /local/dir/link')
      await first.configureTaskDir('web', alloc)
      await outputOf(first)
      for (const [target, errno] of [
        ['/local/link', 'ELOOP'],
        ['/local/link/passwd', 'ENOTDIR'],
        ['/local/dir/link/etc', 'ENOTDIR'],
      ] as const) {
        const second = bench.shell('true')
        second.command.mounts = [{ source: outside, target }]
        await second.configureTaskDir('web', alloc)
        await refuses(second.start(), { stage: 'mount', errno })
        const third = bench.shell('true')
        third.command.tmpfs = [{ target }]
        await third.configureTaskDir('web', alloc)
        await refuses(third.start(), { stage: 'mount', errno })
      }
    }))

  it('nor does one whose target is exchanged in a loop while it is mounted', () =>
    withSetup('linux', async ({ bench, alloc, outside }) => {
      const { local } = alloc.taskPaths('web')
      mkdirSync(join(local, 'target'))
      // Relative: it leads to /etc of the root that is being built.
      execFileSync('ln', ['-s', '../etc', join(local, 'link')])
      const swapper = attacker(bench, 'swapper', ['/local/target', '/local/link'], {
        user: strongest,
        logs: 'plain',
      })
      await swapper.configureTaskDir('web', alloc)
      await swapper.start()
      await untilOutput(swapper, 'ready')
      for (let round = 0; round < 30; round++) {
        const task = bench.shell('cut -d" " -f5 /proc/self/mountinfo | grep -cx /etc; true')
        Object.assign(task.command, {
          user: strongest,
          logs: 'plain',
          mounts: [{ source: outside, target: '/local/target' }],
        })
        // A log of its own each.
        Object.assign(task.command, { stdout: join(outside, '../count') })
        await task.configureTaskDir('web', alloc)
        const error = await task.start().then(
          () => null,
          reason => reason,
        )
        if (error === null) await task.wait()
        // What has become a link is no place for a mount, nor for a rule of Landlock's.
        else assert.match(error.stage, /^(mount|landlock)$/, error.message)
      }
      await swapper.forceStop()
      const counts = readFileSync(join(outside, '../count'), 'utf8').trim().split('\n')
      assert.deepEqual([...new Set(counts)], ['1'])
    }))

  it('a mount whose source lies in the allocation is not followed out of it', () =>
    withSetup('linux', async ({ bench, alloc, outside }) => {
      const first = bench.shell(
        `ln -s ${outside} /alloc/data/away; mkdir /alloc/data/dir; ln -s ${outside}/.. /alloc/data/dir/up`,
      )
      await first.configureTaskDir('other', alloc)
      await outputOf(first)
      for (const path of ['data/away', 'data/away/victim-0', 'data/dir/up/outside']) {
        const second = bench.shell('echo stolen > /m; echo stolen > /m/victim-0')
        second.command.mounts = [{ source: join(alloc.sharedDir, path), target: '/m' }]
        await second.configureTaskDir('web', alloc)
        const error = await second.start().then(
          () => assert.fail(`${path} was mounted`),
          reason => reason,
        )
        assert.match(error.errno, /^(ELOOP|ENOTDIR)$/)
      }
    }))

  it('control: a source in the allocation without links is mounted', () =>
    withSetup('linux', async ({ bench, alloc }) => {
      mkdirSync(join(alloc.sharedDir, 'data/plain'))
      const task = bench.shell('mkdir /alloc/data/plain/seen; ls /m')
      Object.assign(task.command, {
        user: strongest,
        mounts: [{ source: join(alloc.sharedDir, 'data/plain'), target: '/m' }],
      })
      await task.configureTaskDir('web', alloc)
      assert.equal(await outputOf(task), 'seen\n')
    }))
})

type Setup = { readonly bench: Workbench; readonly alloc: AllocDir; readonly outside: string }

async function withSetup(platform: 'linux' | 'basic', play: (setup: Setup) => Promise<void>): Promise<void> {
  await withWorkbench(platform, async bench => {
    const directory = bench.directory('setup')
    const outside = join(directory, 'outside')
    mkdirSync(outside)
    for (let index = 0; index < 20; index++)
      writeFileSync(join(outside, `victim-${index}`), 'VICTIM', { mode: 0o644 })
    const alloc = new AllocDir(join(directory, 'alloc'))
    await alloc.build(['web', 'other'])
    await play({ bench, alloc, outside })
    // Whatever happened: the host is as it was.
    assert.equal(readdirSync(outside).length, 20)
    for (const name of readdirSync(outside)) {
      assert.equal(readFileSync(join(outside, name), 'utf8'), 'VICTIM')
      assert.equal(lstatSync(join(outside, name)).mode & 0o7777, 0o644)
    }
  })
}
