import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compiled as compiledProgram } from '../support/compiled.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'
import { compiled, parseVerdicts } from './hostile.ts'

describe('attack: keys', function () {
  // A whole Node program each.
  this.timeout(120_000)

  before(function () {
    requires(this, 'root', 'linux', 'native')
  })

  for (const platform of ['linux', 'basic'] as const)
    it(`a task does not possess the keys of its supervisor's session (${platform})`, () =>
      withWorkbench(platform, async bench => {
        const keyring = compiled('keyring')
        // The supervisor's own process needs the keyring, so it is one more.
        const program = join(bench.directory('keyring'), 'supervisor.mjs')
        // No filter: it would refuse to look.
        const loosened = platform === 'linux' ? { root: 'host', seccomp: 'off' } : {}
        const start = `
          import { execFileSync } from 'node:child_process'
          import { Supervisor, setCommand } from ${JSON.stringify(compiledProgram('src/index.ts'))}
          process.stdout.write(execFileSync(${JSON.stringify(keyring)}).toString().replace('key', 'supervisor'))
          const supervisor = new Supervisor({ stateDir: ${JSON.stringify(bench.stateDir)} })
          const task = supervisor.executor(${JSON.stringify(platform)})
          setCommand(task, ${JSON.stringify(keyring)}, [])
          Object.assign(task.command, ${JSON.stringify(loosened)})
          await task.start()
          await task.wait()
          task.logs$('stdout').subscribe(chunk => process.stdout.write(chunk))
          await supervisor.close()`
        writeFileSync(program, start)
        const said = execFileSync(keyring, ['own', process.execPath, program])
        assert.deepEqual(parseVerdicts(said.toString()), { supervisor: 'ok', key: 'ENOKEY' })
      }))
})
