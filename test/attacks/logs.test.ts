import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { AllocDir, type Executor } from '../../src/index.ts'
import { weakest } from '../support/identity.ts'
import { output, untilOutput } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { asRoot, requires } from '../support/requires.ts'
import { withVariable } from '../support/variable.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

const logStreamModule = new URL('../../src/task/log-stream.ts', import.meta.url).href

type Setup = {
  readonly bench: Workbench
  readonly alloc: AllocDir
  /** A directory of the host's with `secret` in it. */
  readonly outside: string
  /** Runs a script as a task of the allocation, by default as nobody. */
  readonly run: (name: string, script: string, user?: string) => Promise<Executor>
}

describe('attack: planted logs', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const platform of ['linux', 'basic'] as const) {
    const plants: readonly (readonly [what: string, script: string])[] = [
      ['a symbolic link to a file', 'ln -s OUTSIDE/secret LOG'],
      ['a symbolic link to a file that is not there', 'ln -s OUTSIDE/new LOG'],
      ['a FIFO', 'mkfifo LOG'],
      ['a directory', 'mkdir LOG; echo in the way > LOG/file'],
      ['a hard link', 'echo mine > DATA/mine; ln DATA/mine LOG'],
      ['a file that everybody may write', 'echo forged > LOG; chmod 666 LOG'],
    ]
    for (const [what, script] of plants)
      it(`${what} where a log will be makes room for it, and is neither followed nor written to (${platform})`, () =>
        withSetup(platform, async ({ run, outside, alloc }) => {
          const at = join(alloc.sharedDir, 'logs')
          const planted = script
            .replaceAll('OUTSIDE', outside)
            .replaceAll('DATA', join(alloc.sharedDir, 'data'))
            .replaceAll('LOG', join(at, 'two.stdout'))
          execFileSync('sh', ['-c', planted])
          const task = await run('two', 'echo written')
          assert.equal((await task.wait()).logsComplete, true)
          assert.equal(await output(task), 'written\n')
          assert.deepEqual(readdirSync(at).sort(), ['two.stderr', 'two.stdout', 'two.stdout.planted'])
        }))

    it(`control: where the task writes its log itself, what is planted there is refused by name (${platform})`, () =>
      withSetup(platform, async ({ bench, outside, alloc }) => {
        symlinkSync(join(outside, 'secret'), join(alloc.sharedDir, 'logs/two.stdout'))
        const task = bench.shell('echo written')
        Object.assign(task.command, { user: weakest, logs: 'plain' })
        await task.configureTaskDir('two', alloc)
        await refuses(task.start(), { code: 'START_FAILED', stage: 'log', errno: 'ELOOP' })
      }))

    it(`a hard link to a file of the host's is not written to (${platform})`, () =>
      withSetup(platform, async ({ run, outside, alloc }) => {
        // The kernel's own protected_hardlinks would stop a task; a host may have that off.
        linkSync(join(outside, 'secret'), join(alloc.sharedDir, 'logs/two.stderr'))
        const task = await run('two', 'echo written >&2')
        await task.wait()
        assert.equal(await output(task, 'stderr'), 'written\n')
      }))

    it(
      `no task writes, cuts, removes or replaces a log, its own or a neighbour's (${platform})`,
      asRoot(() =>
        withSetup(platform, async ({ run, alloc }) => {
          const one = await run(
            'one',
            'echo honest; until [ -e $NOMAD_ALLOC_DIR/data/done ]; do sleep 0.02; done',
          )
          await untilOutput(one, 'honest')
          const attacks = [
            'echo forged >> LOG',
            ': > LOG',
            'rm -f LOG',
            'mv LOG LOG.1',
            'ln -s /etc/passwd LOG.1',
            'chmod 666 LOG',
          ]
          const script = ['one', 'two'].flatMap(name =>
            attacks.map(
              attack =>
                `(${attack.replaceAll('LOG', `$NOMAD_ALLOC_DIR/logs/${name}.stdout`)}) 2>/dev/null && echo got through`,
            ),
          )
          // Root without capabilities has the wall of the mount alone, and on Basic none: it owns all of it.
          const users = platform === 'linux' ? ['nobody', 'root'] : ['nobody']
          for (const user of users) {
            const two = await run('two', `${script.join('; ')}; true`, user)
            assert.equal((await two.wait()).logsComplete, true)
            assert.equal(await output(two), '', user)
          }
          writeFileSync(join(alloc.sharedDir, 'data/done'), '')
          assert.equal((await one.wait()).logsComplete, true)
          assert.equal(await output(one), 'honest\n')
        }),
      ),
    )

    it(`control: a task that writes its log itself erases it by opening /dev/stdout, and logsComplete says so (${platform})`, () =>
      withSetup(platform, async ({ bench, alloc }) => {
        const task = bench.shell('echo erased; echo kept > /dev/stdout')
        Object.assign(task.command, { user: weakest, logs: 'plain' })
        await task.configureTaskDir('one', alloc)
        await task.start()
        assert.equal((await task.wait()).logsComplete, false)
        assert.equal(await output(task), 'kept\n')
      }))

    it(
      `nobody cannot take the log directory away (${platform})`,
      asRoot(() =>
        withSetup(platform, async ({ run, alloc }) => {
          const script = 'cd $NOMAD_ALLOC_DIR; { mv logs gone; rm -rf logs; rmdir logs; } 2> data/said; true'
          await (await run('one', script)).wait()
          const said = readFileSync(join(alloc.sharedDir, 'data/said'), 'utf8').trim().split('\n')
          for (const line of said) assert.match(line, /not permitted|Permission denied|Read-only|busy/)
          assert.deepEqual(readdirSync(alloc.sharedDir).sort(), ['data', 'logs', 'tmp'])
        }),
      ),
    )

    it(`a link in the place of the log directory: no log is opened behind it (${platform})`, () =>
      withSetup(platform, async ({ run, outside, alloc }) => {
        // With the host's own hand: no task of its own root can.
        renameSync(join(alloc.sharedDir, 'logs'), join(alloc.sharedDir, 'gone'))
        symlinkSync(outside, join(alloc.sharedDir, 'logs'))
        const error = await refuses(run('two', 'echo written'), { stage: 'log' })
        assert.ok(['ELOOP', 'ENOTDIR'].includes(error.errno ?? ''), error.errno)
      }))

    it(`a log that has become a link, a FIFO or a directory makes the reader neither follow nor wait (${platform})`, () =>
      withSetup(platform, async ({ run, outside, alloc }) => {
        const task = await run('one', 'true')
        await task.wait()
        const at = (name: string): string => join(alloc.sharedDir, 'logs', name)
        for (const name of ['one.stdout', 'one.stderr']) rmSync(at(name))
        symlinkSync(join(outside, 'secret'), at('one.stdout'))
        execFileSync('mkfifo', [at('one.stderr')])
        await refuses(output(task), { code: 'PERMISSION', errno: 'ELOOP' })
        await refuses(output(task, 'stderr'), { code: 'UNSUPPORTED' })
        rmSync(at('one.stdout'))
        mkdirSync(at('one.stdout'))
        await refuses(output(task), { code: 'UNSUPPORTED' })
      }))

    it(`nor does it follow when the directory has been exchanged (${platform})`, () =>
      withSetup(platform, async ({ run, outside, alloc }) => {
        writeFileSync(join(outside, 'one.stdout'), 'SECRET')
        const task = await run('one', 'true')
        await task.wait()
        renameSync(join(alloc.sharedDir, 'logs'), join(alloc.sharedDir, 'gone'))
        symlinkSync(outside, join(alloc.sharedDir, 'logs'))
        await refuses(output(task), { code: 'PERMISSION' })
      }))

    it(`a follower goes on, from the new beginning, when a log that its task writes itself is cut (${platform})`, () =>
      withSetup(platform, async ({ bench, alloc }) => {
        const task = bench.shell(
          'echo a long line before; until [ -e $NOMAD_TASK_DIR/seen ]; do sleep 0.02; done; echo after > /dev/stdout; sleep 0.1; echo and on',
        )
        Object.assign(task.command, { user: weakest, logs: 'plain' })
        await task.configureTaskDir('one', alloc)
        await task.start()
        const all = output(task, 'stdout', { follow: true })
        await untilOutput(task, 'before')
        writeFileSync(join(alloc.taskPaths('one').local, 'seen'), '')
        assert.equal(await all, 'a long line before\nafter\nand on\n')
      }))

    it(`stdout asked for inside the allocation is not opened behind a planted link (${platform})`, () =>
      withSetup(platform, async ({ bench, run, alloc, outside }) => {
        await (await run('one', `ln -s ${outside} $NOMAD_ALLOC_DIR/data/away`)).wait()
        const task = bench.shell('echo written')
        Object.assign(task.command, { user: weakest, stdout: join(alloc.sharedDir, 'data/away/new') })
        await task.configureTaskDir('two', alloc)
        await refuses(task.start(), { stage: 'log' })
      }))

    it(`stdin asked for inside the allocation is not opened behind a planted link (${platform})`, () =>
      withSetup(platform, async ({ bench, run, alloc, outside }) => {
        await (await run('one', `ln -s ${outside}/secret $NOMAD_ALLOC_DIR/data/in`)).wait()
        const task = bench.shell('cat')
        Object.assign(task.command, { user: weakest, stdin: join(alloc.sharedDir, 'data/in') })
        await task.configureTaskDir('two', alloc)
        await refuses(task.start(), { stage: 'stdin', errno: 'ELOOP' })
      }))

    it(`control: stdin and logs without tricks work in the same place (${platform})`, () =>
      withSetup(platform, async ({ bench, run, alloc }) => {
        await (await run('one', 'echo honest > $NOMAD_ALLOC_DIR/data/in')).wait()
        const task = bench.shell('cat')
        Object.assign(task.command, { user: weakest, stdin: join(alloc.sharedDir, 'data/in') })
        await task.configureTaskDir('two', alloc)
        await task.start()
        await untilOutput(task, 'honest')
      }))
  }

  it('a log made of nothing, four terabytes long, does not hold up who wants its last line', () =>
    withSetup('linux', async ({ run, alloc }) => {
      const task = await run('one', 'true')
      await task.wait()
      truncateSync(join(alloc.sharedDir, 'logs/one.stdout'), 4 * 2 ** 40)
      // In a process of its own: a look through all of it cannot be interrupted.
      const target = { base: alloc.path, path: 'alloc/logs/one.stdout' }
      const script = `import { logStream } from ${JSON.stringify(logStreamModule)}
        const source = { target: () => (${JSON.stringify(target)}), files: () => 1, writing: () => false, onEnd: () => () => {}, hold: () => () => {} }
        logStream(source, { tail: 1 }).subscribe(() => process.exit(0))`
      execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
        timeout: 50_000,
        stdio: 'pipe',
      })
    }))

  it('the portable shim makes room for its logs too', async () => {
    await withVariable('HOLDFAST_NATIVE', 'off', () =>
      withSetup('basic', async ({ run, outside, alloc }) => {
        const logs = join(alloc.sharedDir, 'logs')
        for (const [index, plant] of [
          (at: string) => symlinkSync(join(outside, 'secret'), at),
          (at: string) => symlinkSync(join(outside, 'new'), at),
          (at: string) => linkSync(join(outside, 'secret'), at),
          (at: string) => execFileSync('mkfifo', ['-m', '666', at]),
        ].entries()) {
          plant(join(logs, 'two.stdout'))
          const task = await run('two', `echo written ${index}`)
          await task.wait()
          assert.equal(await output(task), `written ${index}\n`)
          for (const name of readdirSync(logs)) rmSync(join(logs, name))
        }
      }),
    )
  })
})

async function withSetup(platform: 'linux' | 'basic', play: (setup: Setup) => Promise<void>): Promise<void> {
  await withWorkbench(platform, async bench => {
    const directory = bench.directory('setup')
    const outside = join(directory, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'secret'), 'SECRET', { mode: 0o600 })
    const alloc = new AllocDir(join(directory, 'alloc'))
    await alloc.build(['one', 'two'])
    const run = async (name: string, script: string, user = weakest): Promise<Executor> => {
      const task = bench.shell(script)
      task.command.user = user
      await task.configureTaskDir(name, alloc)
      await task.start()
      return task
    }
    await play({ bench, alloc, outside, run })
    // Whatever happened: the host is as it was.
    assert.equal(readFileSync(join(outside, 'secret'), 'utf8'), 'SECRET')
    assert.equal(lstatSync(join(outside, 'secret')).mode & 0o777, 0o600)
    assert.equal(lstatSync(join(outside, 'secret')).uid, process.geteuid?.())
    assert.deepEqual(
      readdirSync(outside).filter(name => name !== 'secret' && name !== 'one.stdout'),
      [],
    )
  })
}
