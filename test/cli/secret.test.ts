import { strict as assert } from 'node:assert'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { destroyAll, type Ended, holdfast, start } from './program.ts'

const token = 'T0ken-of-a-variable'
const fromFile = 'T0ken-of-a-file'
const planted = 'planted-in-a-label'

describe('holdfast run --secret', function () {
  // Each call is a whole program: seconds, on a machine that is busy with other tests.
  this.timeout(180_000)

  let stateDir: string
  beforeEach(function () {
    requires(this, 'isolation', 'linux', 'native')
    stateDir = temporaryDirectory('cli')
  })
  afterEach(async () => {
    if (stateDir === undefined) return
    await destroyAll(stateDir)
    removeTemporary(stateDir)
  })

  const run = (args: readonly string[]): Promise<Ended> =>
    start(stateDir, ['run', ...args], { TOKEN: token }).ended

  it('shows the task its secrets as files, none as a variable, and no command tells of what they hold', async () => {
    const file = join(stateDir, 'key')
    writeFileSync(file, fromFile)
    const script =
      'env | grep -c T0ken; [ "$(cat /secrets/TOKEN)" = "$0" ] && [ -s /secrets/key ] && echo right'
    const flags = [
      '-q',
      '--name',
      'web',
      '--label',
      `mark=${planted}`,
      '--secret',
      'TOKEN',
      '--secret',
      `key=${file}`,
    ]
    // Not as the program's argument: then it would be told of.
    const ended = await run([
      ...flags,
      '--',
      'sh',
      '-c',
      script.replace('$0', '$(printf T0ken-of-a-%s variable)'),
    ])
    assert.deepEqual(ended, { code: 0, stdout: '0\nright\n', stderr: '' })
    const told = await Promise.all(
      [
        ['ps', '--all', '--json'],
        ['history', '--json', 'web'],
        ['wait', '--json', 'web'],
        ['logs', 'web'],
        ['audit', '--json'],
      ].map(args => holdfast(stateDir, ...args)),
    )
    const all = told.map(({ stdout, stderr }) => stdout + stderr).join('')
    assert.ok(all.includes(planted), all)
    for (const secret of [token, fromFile]) assert.ok(!all.includes(secret), all)
  })

  it('is refused beside --env of the same variable, and of --basic, and then nothing runs', async () => {
    const both = await run(['--secret', 'TOKEN', '--env', 'TOKEN', '--', 'true'])
    assert.equal(both.code, 125)
    assert.match(both.stderr, /--secret TOKEN: --env or --env-file gives the task the same/)
    const basic = await run(['--basic', '--secret', 'TOKEN', '--', 'true'])
    assert.equal(basic.code, 125)
    assert.match(basic.stderr, /--secret: the basic executor cannot keep them from other processes/)
    assert.ok(!(both.stderr + basic.stderr).includes(token))
  })
})
