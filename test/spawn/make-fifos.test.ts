import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supervisor } from '../../src/index.ts'
import { makeFifos } from '../../src/spawn/fifos.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { withVariable } from '../support/variable.ts'

describe('FIFOs, with and without mkfifo(1)', () => {
  let dir: string
  let bare: string
  beforeEach(() => {
    dir = temporaryDirectory('make-fifos')
    bare = join(dir, 'bin')
    mkdirSync(bare)
  })
  afterEach(() => removeTemporary(dir))

  const makers = {
    'by the native program, without mkfifo(1)': { native: '', path: () => bare },
    'by mkfifo(1), without the native program': { native: 'off', path: () => process.env.PATH ?? '' },
  }
  for (const [how, { native, path }] of Object.entries(makers))
    describe(how, () => {
      const make = (...paths: string[]): Promise<void> =>
        withVariable('HOLDFAST_NATIVE', native, () =>
          withVariable('PATH', path(), () => Promise.resolve(makeFifos(...paths))),
        )

      before(function () {
        if (native === '') requires(this, 'native')
      })

      it('makes all of them, for our own user alone, whatever the umask', async () => {
        const umask = process.umask(0)
        try {
          await make(join(dir, 'a b'), join(dir, '-c'))
        } finally {
          process.umask(umask)
        }
        for (const name of ['a b', '-c']) {
          const stats = statSync(join(dir, name))
          assert.ok(stats.isFIFO())
          assert.equal(stats.mode & 0o777, 0o600)
        }
      })

      it('says that something lies in its place', async () => {
        writeFileSync(join(dir, 'taken'), 'as it was')
        await assert.rejects(async () => make(join(dir, 'taken')), { code: 'EEXIST', stage: 'record' })
      })
    })

  it('a portable start with neither is refused with errno and hint, and leaves nothing running', async () => {
    symlinkSync(execFileSync('sh', ['-c', 'command -v sh'], { encoding: 'utf8' }).trim(), join(bare, 'sh'))
    await withVariable('HOLDFAST_NATIVE', 'off', () =>
      withVariable('PATH', bare, async () => {
        const supervisor = new Supervisor({ stateDir: join(dir, 'state'), orphans: 'kill' })
        const task = supervisor.executor('basic')
        Object.assign(task.command, { path: '/bin/sh', args: ['-c', `touch ${dir}/ran`] })
        await task.limit({})
        await refuses(task.start(), { code: 'START_FAILED', errno: 'ENOSYS', hint: /mkfifo/ })
        await task.destroy()
        await supervisor.close()
      }),
    )
    assert.equal(existsSync(join(dir, 'ran')), false)
  })
})
