import { strict as assert } from 'node:assert'
import { KeepAlive } from '../../src/spawn/keep-alive.ts'
import { PortableSpawner } from '../../src/spawn/portable/portable-spawner.ts'
import { minimalSpec } from '../support/launch-spec.ts'
import { refuses } from '../support/refuses.ts'

/** One that spawn() throws, one that comes as an event: what the failed exec of Node itself gives. */
const failures = { 'thrown (ENOTDIR)': '/dev/null/node', 'told as an event (ENOENT)': '/nowhere/node' }

describe('a portable shim that cannot be forked', () => {
  for (const [what, execPath] of Object.entries(failures))
    it(`${what}: START_FAILED with stage and errno, also while somebody waits, and the next one is asked for anew`, async () => {
      const keepAlive = new KeepAlive()
      const release = keepAlive.hold()
      const spawner = new PortableSpawner(keepAlive)
      const own = process.execPath
      process.execPath = execPath
      try {
        for (let attempt = 0; attempt < 2; attempt++)
          await refuses(spawner.launch({ ...minimalSpec, noNewPrivileges: false }), {
            code: 'START_FAILED',
            stage: 'spawner',
            errno: /\((E\w+)\)/.exec(what)?.[1] ?? '',
          })
      } finally {
        process.execPath = own
        release()
      }
      // Nothing of the two is left that the next hold would stumble over.
      assert.doesNotThrow(() => keepAlive.hold()())
    })
})
