import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { AllocDir, type Executor } from '../../src/index.ts'
import { output } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { withVariable } from '../support/variable.ts'
import { withWorkbench } from '../support/workbench.ts'

const logs = { maxBytes: 8192, maxFiles: 3, numbering: 'increment' } as const
const lines = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, at) => `${first + at}\n`).join('')

describe('a log whose files are numbered upwards', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const platform of ['linux', 'basic'] as const)
    it(`is gone on with by a later task, renamed never, and kept to its number of files (${platform})`, () =>
      withSetup(platform, async ({ directory, run }) => {
        await run('seq 10001 13000')
        assert.deepEqual(names(directory), ['one.stderr.0', 'one.stdout.0', 'one.stdout.1', 'one.stdout.2'])
        const { ino } = lstatSync(join(directory, 'one.stdout.2'))
        const second = await run('seq 13001 15000')
        const files = ['one.stdout.1', 'one.stdout.2', 'one.stdout.3'].map(name => join(directory, name))
        assert.deepEqual(names(directory), ['one.stderr.0', 'one.stdout.1', 'one.stdout.2', 'one.stdout.3'])
        assert.equal(lstatSync(files[1] ?? '').ino, ino)
        for (const file of files) {
          const { mode, uid, size } = lstatSync(file)
          assert.deepEqual([mode & 0o777, uid, size <= logs.maxBytes], [0o644, 0, true])
        }
        const kept = files.map(file => readFileSync(file, 'utf8')).join('')
        assert.ok(lines(10001, 15000).endsWith(kept))
        assert.equal(kept.length > 2 * logs.maxBytes && kept.length <= 3 * logs.maxBytes, true)
        assert.equal(await output(second), kept)
      }))

  it('is followed over its rotations without a gap, by the stream and by the order of both', () =>
    withSetup('linux', async ({ task }) => {
      const one = await task('seq 10001 22000; echo end >&2')
      Object.assign(one.command, { logs: { ...logs, maxFiles: 100 } })
      await one.start()
      const read = { bytes: '', stdout: '', stderr: '' }
      const follow = { follow: true }
      await Promise.all([
        one.logs$('stdout', follow).forEach(bytes => void (read.bytes += Buffer.from(bytes).toString())),
        one
          .output$(follow)
          .forEach(({ stream, bytes }) => void (read[stream] += Buffer.from(bytes).toString())),
      ])
      const stdout = lines(10001, 22000)
      assert.deepEqual(read, { bytes: stdout, stdout, stderr: 'end\n' })
    }))

  it('is written through nothing that a neighbour has put there, nor goes on with it', () =>
    withSetup('linux', async ({ directory, outside, run }) => {
      const at = (name: string) => join(directory, name)
      symlinkSync(outside, at('one.stdout.0'))
      execFileSync('mkfifo', [at('one.stdout.7')])
      writeFileSync(at('one.stdout.900'), 'forged\n')
      chownSync(at('one.stdout.900'), 65534, 65534)
      mkdirSync(at('one.stdout.1'))
      writeFileSync(at('one.stdout.1/file'), '')
      const task = await run('seq 10001 12000')
      assert.equal(readFileSync(outside, 'utf8'), 'secret')
      assert.equal(await output(task), lines(10001, 12000))
      assert.deepEqual(
        names(directory).filter(name => name.startsWith('one.stdout.')),
        ['one.stdout.0', 'one.stdout.1'],
      )
      const planted = [0, 1, 7, 900].map(number => `.one.stdout.${number}.planted`)
      assert.deepEqual(
        names(directory).filter(name => name.startsWith('.')),
        planted,
      )
    }))

  it('is refused where only the portable shim is', () =>
    withVariable('HOLDFAST_NATIVE', 'off', () =>
      withWorkbench('basic', async bench => {
        const task = bench.shell('true')
        Object.assign(task.command, { logs })
        await assert.rejects(task.start(), {
          code: 'UNSUPPORTED',
          message: /^command\.logs\.numbering: only/,
        })
      }),
    ))
})

type Setup = {
  readonly directory: string
  /** A file with `secret` in it. */
  readonly outside: string
  readonly task: (script: string) => Promise<Executor>
  readonly run: (script: string) => Promise<Executor>
}

function withSetup(platform: 'linux' | 'basic', use: (setup: Setup) => Promise<void>): Promise<void> {
  return withWorkbench(platform, async bench => {
    const alloc = new AllocDir(bench.directory('alloc'))
    await alloc.build(['one'])
    const outside = join(bench.directory('outside'), 'file')
    writeFileSync(outside, 'secret')
    const task = async (script: string) => {
      const one = bench.shell(script)
      Object.assign(one.command, { logs })
      await one.configureTaskDir('one', alloc)
      return one
    }
    const run = async (script: string) => {
      const one = await task(script)
      await one.start()
      assert.equal((await one.wait()).exitCode, 0)
      return one
    }
    await use({ directory: join(alloc.sharedDir, 'logs'), outside, task, run })
  })
}

const names = (directory: string) => readdirSync(directory).sort()
