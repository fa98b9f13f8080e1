import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Executor, FilePatch, PatchOptions } from '../../src/index.ts'
import { nativeProgram } from '../../src/spawn/native-program.ts'
import { outputOf, untilOutput } from '../support/output.ts'
import { overlaid, projectOf } from '../support/overlaid.ts'
import { asRoot, requires } from '../support/requires.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { compiled } from './hostile.ts'

const secret = 'what only the host may read'

describe('attack: what a task puts in the place of files that are read for a patch', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  it('links are told with what they say and FIFOs by name, and a reader that follows them gets there or waits', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, { file: 'old\n', fifo: 'old\n' })
      const victim = secretOf(bench)
      const magic = '/proc/self/root/etc/passwd'
      const task = overlaid(
        bench,
        project,
        `rm file fifo; ln -s ${victim} file; ln -s ${magic} magic; mkfifo fifo`,
      )
      await outputOf(task)
      const told = await patchesOf(task)
      assert.deepEqual([...told.keys()].sort(), ['fifo', 'file', 'magic'])
      assert.match(textOf(told.get('file')), new RegExp(`\\n\\+${victim}\\n`))
      assert.match(textOf(told.get('magic')), new RegExp(`\\n\\+${magic}\\n`))
      assert.equal(told.get('fifo')?.omitted, 'special')
      assert.ok(![...told.values()].some(patch => textOf(patch).includes(secret)))
      // Control: by their names.
      const there = upperOf(bench, task)
      assert.equal(readFileSync(join(there, 'file'), 'utf8'), secret)
      assert.match(readFileSync(join(there, 'magic'), 'utf8'), /^root:/m)
      assert.equal(spawnSync('timeout', ['0.2', 'cat', join(there, 'fifo')]).status, 124)
    }))

  for (const [what, make] of [
    ['a link', (victim: string) => `ln -s ${victim} other`],
    ['a FIFO', () => 'mkfifo other'],
  ] as const)
    it(`a file that is swapped for ${what} all the time shows nothing of the host, and holds up nobody`, () =>
      withWorkbench('linux', async bench => {
        const project = projectOf(bench, { file: 'old\n' })
        const script = `echo mine > file; ${make(secretOf(bench))}; exec ./swap file other`
        const task = overlaid(bench, project, script)
        cpSync(compiled('swap'), join(project.path, 'swap'))
        await task.start()
        await untilOutput(task, 'ready')
        const seen = new Set<string>()
        for (let round = 0; round < 100 || seen.size < 4; round++)
          for (const patch of (await patchesOf(task, { paths: ['file', 'other'] })).values()) {
            assert.ok(!textOf(patch).includes(secret))
            seen.add(`${patch.change.path} ${patch.change.type}`)
          }
        await task.forceStop()
        assert.equal(seen.size, 4, [...seen].join())
      }))

  it('a file that grows while it is read is as large as is asked for, or left out', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, {})
      const script = 'echo begin > file; echo ready; while :; do echo more and more; done >> file'
      const task = overlaid(bench, project, script)
      await task.start()
      await untilOutput(task, 'ready')
      const maxFileBytes = 256 * 1024
      let last: FilePatch | undefined
      while (last?.omitted !== 'large') {
        last = (await patchesOf(task, { maxFileBytes })).get('file')
        assert.ok(last !== undefined)
        const lines = textOf(last)
          .split('\n')
          .filter(line => /^\+[^+]/.test(line))
        assert.ok(lines.join('\n').length - lines.length < maxFileBytes)
      }
      await task.forceStop()
      // Control: there was more.
      assert.ok(readFileSync(join(upperOf(bench, task), 'file')).length > maxFileBytes)
    }))

  it('a path that leads out of the workspace is compared with what is in it, and never opened', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, { file: 'old\n' })
      writeFileSync(join(project.path, '../beside'), secret)
      const task = overlaid(bench, project, 'echo new > file')
      await outputOf(task)
      const program = nativeProgram()
      assert.ok('path' in program)
      const told = (path: string): string => {
        const args = ['overlay', 'contents', join(upperOf(bench, task), '..'), project.path, '1000', path]
        return spawnSync(program.path, args, { encoding: 'utf8' }).stdout
      }
      for (const path of [
        '../beside',
        '../upper/file',
        'file/../../beside',
        join(project.path, '../beside'),
        '..',
      ])
        assert.equal(told(path), '= 0\0\0\0', path)
      // Control.
      assert.match(told('file'), /new\n/)
    }))

  it(
    'devices that root has made are not opened',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const project = projectOf(bench, { file: 'old\n' })

        const task = overlaid(bench, project, 'rm file; mknod file c 1 5; mknod zero c 1 5', {
          user: 'root',
          seccomp: 'off',
          capabilities: ['MKNOD'],
        })
        await outputOf(task)
        const told = await patchesOf(task)
        assert.deepEqual(
          ['file', 'zero'].map(name => told.get(name)?.omitted),
          ['special', 'special'],
        )
        // Control: by its name it is one that never ends.
        const read = spawnSync('head', ['-c', '3', join(upperOf(bench, task), 'zero')])
        assert.deepEqual(read.stdout, Buffer.alloc(3))
      }),
    ),
  )
})

const upperOf = (bench: Workbench, { key }: Executor): string =>
  join(bench.stateDir, 'allocs', key, 'overlay', 'upper')

function secretOf(bench: Workbench): string {
  const path = join(bench.directory('victim'), 'secret')
  writeFileSync(path, secret)
  return path
}

async function patchesOf(task: Executor, options: PatchOptions = {}): Promise<Map<string, FilePatch>> {
  const all = new Map<string, FilePatch>()
  for await (const patch of task.patches(options)) all.set(patch.change.path, patch)
  return all
}

function textOf(patch: FilePatch | undefined): string {
  return Buffer.from(patch?.patch ?? '').toString('latin1')
}
