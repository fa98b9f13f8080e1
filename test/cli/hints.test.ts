import { strict as assert } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compiled } from '../support/compiled.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('what is on the host alone is named with the flags that show it, and they do', function () {
  this.timeout(120_000)
  let base: string
  let app: string
  before(function () {
    requires(this, 'isolation')
    base = temporaryDirectory('hints')
    app = join(base, 'app')
    mkdirSync(join(app, 'bin'), { recursive: true })
    for (const folder of [base, app]) chmodSync(folder, 0o755)
    copyFileSync('/bin/true', join(app, 'bin/tool'))
    const files = {
      direct: '#!/bin/sh\n',
      interpreted: `#!${app}/bin/tool\n`,
      'script.sh': 'exit 0\n',
      'x.js': 'process.exit(0)\n',
      '../above.sh': 'exit 0\n',
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(app, name), text, { mode: 0o755 })
    chmodSync(join(app, 'bin/tool'), 0o755)
  })
  after(() => {
    removeTemporary(base)
    removeTemporary(`${base}-state`)
  })

  /** In the folder `app`, as a person would. */
  const holdfast = (flags: readonly string[], command: readonly string[], env: NodeJS.ProcessEnv) => {
    const line = ['--state-dir', `${base}-state`, 'run', '--rm', ...flags, '--', ...command]
    const main = compiled('src/cli/main.ts')
    return spawnSync(process.execPath, [main, ...line], {
      cwd: app,
      encoding: 'utf8',
      env: { ...process.env, ...env },
    })
  }

  const cases: Readonly<Record<string, (app: string) => readonly string[]>> = {
    'a program': at => [`${at}/direct`],
    'a program by a relative path': () => ['./direct'],
    'a program and its interpreter': () => ['./interpreted'],
    'a script of sh': () => ['sh', 'script.sh'],
    'a script of sh, by its path': at => ['sh', `${at}/script.sh`],
    'a script above': () => ['sh', '../above.sh'],
    'a script of Node': () => [process.execPath.replace(/^.*\//, ''), './x.js'],
    'a file in an option': at => ['env', `--chdir=${at}`, 'true'],
  }

  for (const [what, command] of Object.entries(cases))
    it(what, function () {
      if (what.endsWith('Node') && !process.execPath.startsWith('/usr/')) this.skip()
      const flags: string[] = []
      const env = { PATH: '/usr/local/bin:/usr/bin:/bin' }
      const first = holdfast(flags, command(app), env)
      assert.notEqual(first.status, 0)
      // One after the other: an interpreter is missed when its script has been found.
      for (let tries = 0, ran = first; tries < 3 && ran.status !== 0; tries++) {
        const said = /task's root: (?:command\.\w+ \()?((?:(?:--mount|--cwd|-w) \S+ ?)+)\)? shows it/.exec(
          ran.stderr.replaceAll(') shows', ' shows'),
        )
        assert.ok(said?.[1], ran.stderr)
        flags.push(...said[1].trim().split(' '))
        ran = holdfast(flags, command(app), env)
        if (tries === 2 || ran.status === 0) assert.equal(ran.status, 0, ran.stderr)
      }
    })

  it('a working directory, and a relative one that a task cannot know', () => {
    const { stderr } = holdfast(['--cwd', app], ['true'], {})
    assert.match(stderr, new RegExp(`-w ${app}\\) shows it`))
    const relative = holdfast(['--cwd', '.'], ['true'], {})
    assert.match(relative.stderr, new RegExp(`hint: .*-w ${app}`))
    assert.equal(holdfast(['-w', app], ['true'], {}).status, 0)
  })

  it('directories of libraries in the environment', () => {
    const { stderr } = holdfast(['--env', `LD_LIBRARY_PATH=${app}/bin`], ['false'], {})
    assert.match(stderr, new RegExp(`${app}/bin is on the host, .*: --mount ${app}/bin shows it`))
  })
})
