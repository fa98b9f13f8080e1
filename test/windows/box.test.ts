import { strict as assert } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { build } from 'esbuild'
import { temporaryDirectory } from '../support/temporary.ts'

const scripts: readonly (readonly [string, ...string[]])[] = [
  ['echo out; echo err >&2; exit 7'],
  ['i=0; while [ $i -lt 30 ]; do i=$((i+1)); head -c 1000 /dev/zero | tr "\\0" x; done; echo end'],
  ['for i in 1 2 3; do echo line $i; sleep 0.01; done; printf unfinished'],
  ['for i in $(seq 50); do echo "one $i"; done'],
  ['printf %600d 0; printf %400d 0 >&2'],
  ['printf "%s|%s|%s" "$@"', 'sh', 'a b', '<x>', ''],
  ['NAME="a b"; echo "hello $NAME"; echo $NAME "" x'],
  ['(echo a; exit 3); echo b > /dev/null; ! [ -e /no/such ] && echo yes; [ -e /no/such ] || echo no'],
  ['echo x | cat; echo "a\\"b" \'c d\' "$UNKNOWN ${ALSO}"'],
  ['read first; echo "got $first"; cat'],
]

describe('the shell of the tasks on Windows', function () {
  this.timeout(60_000)
  const box = join(temporaryDirectory('box'), 'box.mjs')

  before(async function () {
    if (process.platform === 'win32') this.skip()
    const entry = join(import.meta.dirname, 'box/box.ts')
    await build({
      entryPoints: [entry],
      outfile: box,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    })
  })

  for (const script of scripts)
    it(`does as sh(1) does: ${script[0]}`, () => {
      const told = (program: string, ...before: string[]) => {
        const { stdout, stderr, status } = spawnSync(program, [...before, '-c', ...script], {
          input: 'one\ntwo\n',
          encoding: 'latin1',
        })
        return { stdout, stderr, status }
      }
      assert.deepEqual(told(process.execPath, box, 'sh'), told('/bin/sh'))
    })

  it('refuses what it has not, rather than do something else', () => {
    for (const script of ['if true; then echo; fi', 'no-such-tool'])
      assert.notEqual(spawnSync(process.execPath, [box, 'sh', '-c', script]).status, 0, script)
  })
})
