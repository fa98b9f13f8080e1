import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Executor } from '../../../src/index.ts'
import { outputOf } from '../../support/output.ts'
import { requires } from '../../support/requires.ts'
import { withWorkbench, type Workbench } from '../../support/workbench.ts'

/** docs/recipes.md has the same. */
const safe = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' }

describe('programs that look whose a mounted directory is', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  it('git: a repository of the caller is the task’s own where both are one user, and else said to be safe by variables', function () {
    if (!existsSync('/usr/bin/git')) this.skip()
    return withWorkbench('linux', async bench => {
      const repository = gitRepository(bench)
      const isRoot = process.geteuid?.() === 0
      const plain = await outputOf(reading(bench, repository, 'git -C /repository log --format=%s 2>&1'))
      if (isRoot) assert.match(plain, /detected dubious ownership/)
      else assert.equal(plain, 'first\n')
      const task = reading(bench, repository, 'git -C /repository log --format=%s 2>&1')
      Object.assign(task.command.env, safe)
      assert.equal(await outputOf(task), 'first\n')
    })
  })

  it('gpg: a mounted keyring of the caller works where both are one user, and is out of reach of another', function () {
    if (!existsSync('/usr/bin/gpg')) this.skip()
    return withWorkbench('linux', async bench => {
      const keyring = bench.directory('gnupg')
      chmodSync(keyring, 0o700)
      const task = reading(
        bench,
        keyring,
        'gpg --homedir /repository --no-autostart --list-keys 2>&1; echo $?',
      )
      const said = await outputOf(task)
      if (process.geteuid?.() === 0) assert.match(said, /Permission denied[\s\S]*\n2\n$/)
      else assert.doesNotMatch(said, /unsafe ownership/)
    })
  })
})

function reading(bench: Workbench, source: string, script: string): Executor {
  const task = bench.shell(script)
  task.command.mounts = [{ source, target: '/repository', readOnly: false }]
  return task
}

function gitRepository(bench: Workbench): string {
  const dir = bench.directory('repository')
  const git = (...args: readonly string[]): void => {
    const who = {
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@b',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@b',
    }
    execFileSync('git', ['-C', dir, ...args], { stdio: 'pipe', env: { ...process.env, ...who } })
  }
  git('init', '-q')
  mkdirSync(join(dir, 'folder'))
  writeFileSync(join(dir, 'folder', 'file'), 'text')
  git('add', '-A')
  git('commit', '-q', '-m', 'first')
  execFileSync('chmod', ['-R', 'a+rX', dir])
  return dir
}
