import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Executor, PatchOptions } from '../../../src/index.ts'
import { PatchPrinter } from '../../../src/cli/output/patch-printer.ts'
import { outputOf } from '../../support/output.ts'
import { overlaid, projectOf } from '../../support/overlaid.ts'
import { refuses } from '../../support/refuses.ts'
import { requires } from '../../support/requires.ts'
import { withWorkbench } from '../../support/workbench.ts'

const text = Array.from({ length: 40 }, (_, index) => `line ${index}\n`).join('')
const files = {
  text,
  cut: 'no newline',
  latin: 'caf\xe9 is one\n',
  run: '#!/bin/sh\n',
  gone: 'gone\n',
  empty: '',
  'dir/one': '1\n',
  'dir/two': '2\n',
  'becomes-dir': 'file\n',
  'becomes-file/one': '1\n',
  'becomes-file/deep/two': '2\n',
  'becomes-link': 'file\n',
  'with space': 'old\n',
  'quo"te\\d': 'old\n',
  kept: 'kept\n',
}
const script = String.raw`
  sed -i -e '3s/.*/changed/' -e '30d' text; printf 'still none' > cut; printf 'caf\351 is \002 bytes\r\n' > latin
  chmod 755 run; rm gone empty; : > made-empty; : > "made empty too"; rm -r dir; rm becomes-link;
  ln -s /etc/passwd becomes-link
  echo new > "with space"; echo new > 'quo"te\d'; echo x > "$(printf 'new\nline\033[2J\351\t')"; ln -s ../kept link
  printf 'no newline here' > fresh; printf '#!/bin/sh\n' > tool; chmod 755 tool; chmod +x "with space"
  printf -- '-- a/kept\n++ b/kept\n@@ -1 +1 @@\ndiff --git a/kept b/kept\n' > headers`

const swaps = `rm becomes-dir; mkdir becomes-dir; echo in > becomes-dir/in
  rm -r becomes-file; echo file > becomes-file`

describe('the patch of an overlay', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  const tools = [
    // patch(1) removes files when all is done: none comes in the place of a directory, or it of one.
    ['patch -p1', script, (file: string) => ['patch', '-p1', '-s', '-i', file]],
    ['git apply', `${script}\n${swaps}`, (file: string) => ['git', 'apply', '--whitespace=nowarn', file]],
  ] as const
  for (const [tool, changes, words] of tools)
    it(`is taken by \`${tool}\`, and leads to what apply() leads to`, () =>
      withWorkbench('linux', async bench => {
        const project = projectOf(bench, files)
        const task = overlaid(bench, project, changes)
        await outputOf(task)
        const { patch, omitted } = await printed(task)
        assert.deepEqual(omitted, [])
        assert.doesNotMatch(headersOf(patch), /[^\n\x20-\x7e]/, 'names say nothing to a terminal')
        const file = join(bench.directory('patch'), 'patch')
        writeFileSync(file, patch)
        const copy = join(bench.directory('copy'), 'copy')
        cpSync(project.path, copy, { recursive: true, verbatimSymlinks: true })
        const before = treeOf(copy)
        // Outside of any repository, and nothing that this user has told Git.
        const env = { PATH: process.env.PATH, HOME: '/nowhere', GIT_CEILING_DIRECTORIES: join(copy, '..') }
        const [program, ...args] = words(file)
        execFileSync(program ?? '', args, { cwd: copy, env })
        await task.apply()
        assert.notEqual(treeOf(copy), before)
        assert.equal(treeOf(copy), treeOf(project.path))
      }))

  it('has what is asked for alone, and names what it cannot hold', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, { 'dir/one': '1\n', 'dir/two': '2\n', dirt: 'x\n', mode: 'x\n' })
      const makes = String.raw`rm -r dir; echo y > dirt; printf 'a\0b' > binary; mkfifo fifo; chmod 600 mode
        head -c 2000 /dev/zero | tr '\0' x > large; mkdir bad; echo z > "$(printf 'bad/\351')"`
      const task = overlaid(bench, project, makes)
      await outputOf(task)
      const of = async (options: PatchOptions) => (await printed(task, options)).paths
      assert.deepEqual(await of({ paths: ['dir'] }), ['dir/one', 'dir/two'])
      assert.deepEqual(await of({ paths: ['dir/two', 'dirt'] }), ['dir/two', 'dirt'])
      assert.deepEqual(await of({ paths: ['bad/\ufffd'] }), ['bad/\ufffd'])
      assert.deepEqual(await of({ paths: ['none'] }), [])
      const { omitted } = await printed(task, { maxFileBytes: 1999 })
      assert.deepEqual(omitted, ['binary: binary', 'fifo: special', 'large: large', 'mode: mode'])
      for (const path of ['', '/etc/passwd', '../up', 'a/../b', 'a//b', './a', 'a\0b'])
        assert.throws(() => task.patches({ paths: [path] }), {
          code: 'INVALID_ARGUMENT',
          message: /paths\.0/,
        })
      for (const maxFileBytes of [0, 1.5, 9_000_000])
        assert.throws(() => task.patches({ maxFileBytes }), { message: /maxFileBytes/ })
      const plain = bench.shell('true')
      assert.throws(() => plain.patches(), { code: 'INVALID_STATE', message: /patches\(\) is refused/ })
      await outputOf(plain)
      await refuses(printed(plain), { code: 'INVALID_STATE', message: /no overlay/ })
    }))
})

async function printed(task: Executor, options: PatchOptions = {}) {
  const patches: Buffer[] = []
  const all: { readonly path: string; readonly omitted: string | null }[] = []
  const printer = new PatchPrinter({ isTTY: false }, async bytes => void patches.push(Buffer.from(bytes)))
  for await (const each of task.patches(options)) {
    all.push({ path: each.change.path, omitted: each.omitted })
    await printer.add(each)
  }
  await printer.end()
  return {
    patch: Buffer.concat(patches),
    paths: all.map(({ path }) => path).sort(),
    omitted: all.flatMap(({ path, omitted }) => (omitted === null ? [] : [`${path}: ${omitted}`])).sort(),
  }
}

/** Names, kinds, targets, contents, and who may execute what; of directories those with something in them. */
function treeOf(directory: string): string {
  const find =
    'find . -type f -perm -100 -printf "%p x\\n" -o -not -type d -printf "%p %y %l\\n" | sort; find . -type f -exec cksum {} + | sort'
  return execFileSync('/bin/sh', ['-c', find], { cwd: directory, encoding: 'latin1' })
}

function headersOf(patch: Buffer): string {
  const lines = patch.toString('latin1').split('\n')
  return lines.filter(line => /^(diff|---|\+\+\+|index|old|new|deleted) /.test(line)).join('\n')
}
