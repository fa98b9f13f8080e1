import { strict as assert } from 'node:assert'
import type { Command } from '../../src/index.ts'
import { taskUsers } from '../support/identity.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'
import { attacker, verdicts } from './hostile.ts'

/** In its own directory, of a file that it has made. */
async function attributes(loosened: Partial<Command>): Promise<Record<string, string>> {
  let seen: Record<string, string> = {}
  await withWorkbench('linux', async bench => {
    seen = await verdicts(attacker(bench, 'attributes', ['/local/file'], loosened))
  })
  return seen
}

describe('attack: attributes of files, the project that bounds them among them', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  it('cannot be set by a task, whoever it runs as', async () => {
    for (const user of taskUsers) {
      const { read: _, ...seen } = await attributes({ user })
      assert.deepEqual(seen, {
        ...{ project: 'ENOTTY', 'project-high': 'ENOTTY', flags: 'ENOTTY' },
        file_setattr: 'ENOSYS',
      })
    }
  })

  it('control: without the filter they are set where the file system has any', async function () {
    const { read, file_setattr: younger, ...seen } = await attributes({ seccomp: 'off' })
    if (read !== 'ok') {
      process.stderr.write(`SKIPPED ${this.test?.fullTitle()}: this file system has no attributes\n`)
      return this.skip()
    }
    assert.deepEqual(seen, { project: 'ok', 'project-high': 'ok', flags: 'ok' })
    // From Linux 6.17 on.
    assert.ok(younger === 'ok' || younger === 'ENOSYS', younger)
  })
})
