import { strict as assert } from 'node:assert'
import { KeepAlive } from '../../src/spawn/keep-alive.ts'
import { PortableSpawner } from '../../src/spawn/portable/portable-spawner.ts'
import type { LaunchSpec } from '../../src/spawn/spec.ts'
import { refuses } from '../support/refuses.ts'

/** It is never read. */
const spec: LaunchSpec = {
  dir: '/state/tasks/k',
  path: '/bin/sh',
  argv: ['sh', '-c', ''],
  env: ['A=1', 'EMPTY='],
  cwd: '/',
  umask: 0o22,
  credentials: null,
  stdin: { base: null, path: '/dev/null' },
  stdout: { base: null, path: '/logs/out' },
  stderr: { base: '/alloc/logs', path: 'web.stderr' },
  logRotation: null,
  nice: null,
  oomScoreAdj: null,
  rlimits: [],
  wallTimeMs: null,
  outputBytes: null,
  graceMs: 5000,
  durable: true,
  owner: null,
  cgroups: [],
  oomFile: null,
  freezer: null,
  namespaces: [],
  networkPath: null,
  hostname: null,
  root: [],
  rootShared: 0,
  capabilities: null,
  noNewPrivileges: false,
  seccomp: false,
}

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
          await refuses(spawner.launch(spec), {
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
