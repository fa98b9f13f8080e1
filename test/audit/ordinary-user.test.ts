import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/spawn/native-program.ts'
import { homeOfOrdinaryUser, ordinaryUid } from '../support/ordinary-user.ts'
import { requires } from '../support/requires.ts'
import { temporaryDirectory } from '../support/temporary.ts'

describe('audit of an ordinary user', () => {
  it('works where root has given users out and lets nobody look', function () {
    requires(this, 'linux', 'native', 'root', 'ordinary-user')
    const registry = temporaryDirectory('registry')
    chmodSync(registry, 0o700)
    const home = homeOfOrdinaryUser()
    const script = `import { audit } from './src/index.ts'
      console.log(JSON.stringify(await audit(JSON.parse(process.argv[1]))))`
    const options = { stateDir: join(home, 'state'), ownUsers: { registry } }
    const node = ['--import', 'tsx', '--conditions=development', '--input-type=module', '-e', script]
    const report = execFileSync(process.execPath, [...node, JSON.stringify(options)], {
      uid: ordinaryUid,
      gid: ordinaryUid,
      cwd: packageRoot,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: home, TMPDIR: home },
    })
    assert.equal((JSON.parse(report) as { stateDir: string }).stateDir, options.stateDir)
  })
})
