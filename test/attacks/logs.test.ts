import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { AllocDir, type Executor } from '../../src/index.ts'
import { strongest, weakest } from '../support/identity.ts'
import { output, untilOutput } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { asRoot, requires } from '../support/requires.ts'
import { withVariable } from '../support/variable.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

const logStreamModule = new URL('../../src/task/log-stream.ts', import.meta.url).href

type Scene = {
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
    const plants: readonly (readonly [what: string, script: string, errno: string])[] = [
      ['a symbolic link to a file', 'ln -s OUTSIDE/secret LOG', 'ELOOP'],
      ['a symbolic link to a file that is not there', 'ln -s OUTSIDE/new LOG', 'ELOOP'],
      ['a FIFO', 'mkfifo LOG', 'ENXIO'],
      ['a directory', 'mkdir LOG', 'EISDIR'],
      ['a hard link', 'echo mine > $NOMAD_ALLOC_DIR/data/mine; ln $NOMAD_ALLOC_DIR/data/mine LOG', 'EMLINK'],
    ]
    for (const [what, script, errno] of plants)
      it(`${what} where another task's log will be is refused (${platform})`, () =>
        scene(platform, async ({ run, outside }) => {
          const planted = script
            .replaceAll('OUTSIDE', outside)
            .replaceAll('LOG', '$NOMAD_ALLOC_DIR/logs/two.stdout')
          assert.equal((await (await run('one', planted)).wait()).exitCode, 0)
          await refuses(run('two', 'echo written'), { code: 'START_FAILED', stage: 'log', errno })
        }))

    it(`a hard link to a file of the host's is refused (${platform})`, () =>
      scene(platform, async ({ run, outside, alloc }) => {
        // The kernel's own protected_hardlinks would stop a task; a host may have that off.
        linkSync(join(outside, 'secret'), join(alloc.sharedDir, 'logs/two.stderr'))
        await refuses(run('two', 'echo written >&2'), { stage: 'log', errno: 'EMLINK' })
      }))

    it(
      `nobody cannot take the log directory away (${platform})`,
      asRoot(() =>
        scene(platform, async ({ run, alloc }) => {
          // Its own logs in there it may remove, so it complains elsewhere.
          const script = 'cd $NOMAD_ALLOC_DIR; { mv logs gone; rm -rf logs; rmdir logs; } 2> data/said; true'
          await (await run('one', script)).wait()
          const said = readFileSync(join(alloc.sharedDir, 'data/said'), 'utf8').trim().split('\n')
          assert.equal(said.length, 3)
          for (const line of said) assert.match(line, /Operation not permitted/)
          assert.deepEqual(readdirSync(alloc.sharedDir).sort(), ['data', 'logs', 'tmp'])
        }),
      ),
    )

    it(`root puts a link in the place of the log directory: no log is opened behind it (${platform})`, () =>
      scene(platform, async ({ run, outside }) => {
        const script = `mv $NOMAD_ALLOC_DIR/logs $NOMAD_ALLOC_DIR/gone && ln -s ${outside} $NOMAD_ALLOC_DIR/logs`
        assert.equal((await (await run('one', script, strongest)).wait()).exitCode, 0)
        const error = await refuses(run('two', 'echo written'), { stage: 'log' })
        assert.ok(['ELOOP', 'ENOTDIR'].includes(error.errno ?? ''), error.errno)
      }))

    it(`a task that puts a link or a FIFO in the place of its own log makes the reader neither follow nor wait (${platform})`, () =>
      scene(platform, async ({ run, outside }) => {
        const script = `cd $NOMAD_ALLOC_DIR/logs; rm one.stdout one.stderr; ln -s ${outside}/secret one.stdout; mkfifo one.stderr`
        const task = await run('one', script)
        await task.wait()
        await refuses(output(task), { code: 'PERMISSION', errno: 'ELOOP' })
        await refuses(output(task, 'stderr'), { code: 'UNSUPPORTED' })
      }))

    it(`nor does it follow when the directory has been exchanged (${platform})`, () =>
      scene(platform, async ({ run, outside }) => {
        writeFileSync(join(outside, 'one.stdout'), 'SECRET')
        const script = `cd $NOMAD_ALLOC_DIR; mv logs gone; ln -s ${outside} logs`
        const task = await run('one', script, strongest)
        await task.wait()
        await refuses(output(task), { code: 'PERMISSION' })
      }))

    it(`a log that its task cuts off while it is followed does not hang the reader (${platform})`, () =>
      scene(platform, async ({ run, alloc }) => {
        const task = await run(
          'one',
          'echo before; until [ -e $NOMAD_TASK_DIR/seen ]; do sleep 0.02; done; : > $NOMAD_ALLOC_DIR/logs/one.stdout; sleep 0.1',
        )
        const all = output(task, 'stdout', { follow: true })
        await untilOutput(task, 'before')
        writeFileSync(join(alloc.taskPaths('one').local, 'seen'), '')
        assert.match(await all, /^before/)
        assert.equal(await output(task), '')
      }))

    it(`stdout asked for inside the allocation is not opened behind a planted link (${platform})`, () =>
      scene(platform, async ({ bench, run, alloc, outside }) => {
        await (await run('one', `ln -s ${outside} $NOMAD_ALLOC_DIR/data/away`)).wait()
        const task = bench.shell('echo written')
        Object.assign(task.command, { user: weakest, stdout: join(alloc.sharedDir, 'data/away/new') })
        await task.configureTaskDir('two', alloc)
        await refuses(task.start(), { stage: 'log' })
      }))

    it(`stdin asked for inside the allocation is not opened behind a planted link (${platform})`, () =>
      scene(platform, async ({ bench, run, alloc, outside }) => {
        await (await run('one', `ln -s ${outside}/secret $NOMAD_ALLOC_DIR/data/in`)).wait()
        const task = bench.shell('cat')
        Object.assign(task.command, { user: weakest, stdin: join(alloc.sharedDir, 'data/in') })
        await task.configureTaskDir('two', alloc)
        await refuses(task.start(), { stage: 'stdin', errno: 'ELOOP' })
      }))

    it(`control: stdin and logs without tricks work in the same place (${platform})`, () =>
      scene(platform, async ({ bench, run, alloc }) => {
        await (await run('one', 'echo honest > $NOMAD_ALLOC_DIR/data/in')).wait()
        const task = bench.shell('cat')
        Object.assign(task.command, { user: weakest, stdin: join(alloc.sharedDir, 'data/in') })
        await task.configureTaskDir('two', alloc)
        await task.start()
        await untilOutput(task, 'honest')
      }))
  }

  it('a log made of nothing, four terabytes long, does not hold up who wants its last line', () =>
    scene('linux', async ({ run, alloc }) => {
      const task = await run('one', 'truncate -s 4T $NOMAD_ALLOC_DIR/logs/one.stdout')
      assert.equal((await task.wait()).exitCode, 0)
      // In a process of its own: a look through all of it cannot be interrupted.
      const target = { base: alloc.path, path: 'alloc/logs/one.stdout' }
      const script = `import { logStream } from ${JSON.stringify(logStreamModule)}
        const source = { target: () => (${JSON.stringify(target)}), files: () => 1, writing: () => false, ended: Promise.resolve(), hold: () => () => {} }
        logStream(source, { tail: 1 }).subscribe(() => process.exit(0))`
      execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
        timeout: 50_000,
        stdio: 'pipe',
      })
    }))

  it('the portable shim refuses planted links, hard links and FIFOs too', async () => {
    await withVariable('HOLDFAST_NATIVE', 'off', () =>
      scene('basic', async ({ run, outside, alloc }) => {
        const logs = join(alloc.sharedDir, 'logs')
        for (const [index, plant] of [
          (at: string) => symlinkSync(join(outside, 'secret'), at),
          (at: string) => symlinkSync(join(outside, 'new'), at),
          (at: string) => linkSync(join(outside, 'secret'), at),
          (at: string) => execFileSync('mkfifo', [at]),
        ].entries()) {
          plant(join(logs, 'two.stdout'))
          await refuses(run('two', `echo written ${index}`), { code: 'START_FAILED', stage: 'log' })
          rmSync(join(logs, 'two.stdout'))
        }
      }),
    )
  })
})

async function scene(platform: 'linux' | 'basic', play: (scene: Scene) => Promise<void>): Promise<void> {
  await withWorkbench(platform, async bench => {
    const directory = bench.directory('scene')
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
