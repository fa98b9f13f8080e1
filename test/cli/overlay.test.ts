import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { patchForTerminal } from '../../src/cli/output/patch-printer.ts'
import { colorsFor } from '../../src/cli/output/terminal.ts'
import { CliBench } from '../support/cli-bench.ts'
import { projectOf, stateOf } from '../support/overlaid.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'

const script = 'echo new > file; echo > added; rm gone; mkdir dir; ln -s /etc/passwd link; mkfifo fifo'
const lines = ['A added', 'A dir/', 'M file', 'D gone', 'A link -> /etc/passwd']

describe('holdfast run -w DIR --overlay', () => {
  let bench: CliBench
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })
  beforeEach(() => {
    bench = new CliBench()
  })
  afterEach(() => bench.dispose())

  const inProject = (body: (path: string) => Promise<void>): Promise<void> =>
    withWorkbench('linux', async workbench => {
      await body(projectOf(workbench, { file: 'old', gone: 'gone' }).path)
    })

  it('says what it keeps, diff lists it, and apply puts it in place', () =>
    inProject(async path => {
      const before = stateOf(path)
      const run = await bench.say(['run', '--name', 'web', '-w', path, '--overlay', '--', 'sh', '-c', script])
      assert.equal(run.code, 0, run.stderr)
      assert.match(run.stderr, /\n {2}changes +6, kept apart: `holdfast diff \w+`, `holdfast apply \w+`\n/)
      const diff = await bench.say(['diff', 'web'])
      const fifo = 'A fifo (a FIFO, socket or device: never put in place)'
      assert.deepEqual(diff.stdout.trim().split('\n'), lines.toSpliced(2, 0, fifo))
      assert.equal(stateOf(path), before)
      const { task, changes } = JSON.parse((await bench.say(['diff', '--json', 'web'])).stdout)
      assert.deepEqual([task.name, changes.length], ['web', 6])
      const apply = await bench.say(['apply', 'web'])
      assert.deepEqual([apply.code, apply.stdout.trim().split('\n')], [0, lines])
      assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'new\n')
      assert.deepEqual((await bench.say(['diff', 'web'])).stdout, '')
    }))

  it('diff --patch prints what `git apply` takes, names what it leaves out, and shows a terminal nothing that it obeys', () =>
    inProject(async path => {
      const makes = String.raw`printf 'new\033]0;title\007\n' > file; rm gone; printf 'a\0' > binary; mkdir sub; echo x > sub/x`
      await bench.say(['run', '-q', '--name', 'web', '-w', path, '--overlay', '--', 'sh', '-c', makes])
      const all = await bench.say(['diff', '--patch', 'web'])
      assert.deepEqual([all.code, all.stderr], [1, 'holdfast: binary is not in the patch: it is binary\n'])
      const names = [...all.stdout.matchAll(/^diff --git a\/(.*) b/gm)].map(([, name]) => name)
      assert.deepEqual(names, ['gone', 'file', 'sub/x'])
      const copy = join(path, '..', 'copy')
      cpSync(path, copy, { recursive: true })
      execFileSync('git', ['apply'], { cwd: copy, input: all.stdout })
      assert.equal(readFileSync(join(copy, 'file'), 'utf8'), 'new\x1b]0;title\x07\n')
      const shown = patchForTerminal(Buffer.from(all.stdout), colorsFor({ isTTY: true }, {}))
      assert.match(shown, /\+new\\x1b\]0;title\\x07/)
      assert.deepEqual(
        new Set(shown.match(/[^\x20-\x7e\n\t]\[\d+m|[^\x20-\x7e\n\t]/g)?.map(code => code[1])),
        new Set('['),
      )
      const some = await bench.say(['diff', '-p', 'web', './sub/', 'file'])
      assert.deepEqual([some.code, some.stderr, some.stdout.match(/^diff/gm)?.length], [0, '', 2])
      for (const [words, said] of [
        [['-p', 'web', '../up'], /PATH: got "\.\.\/up"/],
        [['-p', '--json', 'web'], /--json/],
        [['web', 'file'], /PATH.*--patch/],
        [['-p', '--max-file', '1G', 'web'], /--max-file: got 1073741824/],
      ] as const)
        assert.match(
          (await bench.say(['diff', ...words])).stdout + (await bench.say(['diff', ...words])).stderr,
          said,
        )
    }))

  it('apply refuses what has changed meanwhile, by name, without --force, and a task that runs', () =>
    inProject(async path => {
      const words = ['run', '-d', '-q', '--name', 'web', '-w', path, '--overlay', '--', 'sh', '-c']
      await bench.say([...words, 'echo new > file; exec sleep 1000'])
      const runs = await bench.say(['apply', 'web'])
      assert.match(runs.stderr, /^holdfast: apply\(\) is refused: the task is running/)
      assert.equal(runs.code, 1)
      await bench.say(['kill', 'web'])
      writeFileSync(join(path, 'file'), 'theirs')
      assert.match((await bench.say(['diff', 'web'])).stdout, /^M file \(conflict: /)
      const refused = await bench.say(['apply', 'web'])
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, /changed since the task began: file\n {2}hint: .*--force/)
      assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'theirs')
      assert.equal((await bench.say(['apply', '--force', 'web'])).stdout, 'M file\n')
      assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'new\n')
    }))

  it('is refused without -w, for a directory that is only read, and with --basic', () =>
    inProject(async path => {
      for (const [flags, message] of [
        [['--overlay'], /^holdfast: --overlay: there is no directory[^]*-w DIR/],
        [['-w', `${path}:ro`, '--overlay'], /readOnly: true[^]*overlay: true/],
        [['--basic', '-w', path, '--overlay'], /^holdfast: --overlay: the basic executor cannot keep/],
      ] as const) {
        const { code, stderr } = await bench.say(['run', ...flags, '--', 'true'])
        assert.match(stderr, message)
        assert.equal(code, 125)
      }
      const unknown = await bench.say(['diff', 'nobody'])
      assert.deepEqual([unknown.code, unknown.stdout], [1, ''])
    }))
})
