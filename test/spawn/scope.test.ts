import assert from 'node:assert/strict'
import { KeepAlive } from '../../src/spawn/keep-alive.ts'
import { nativeProgram } from '../../src/spawn/native-program.ts'
import { NativeSpawner } from '../../src/spawn/native-spawner.ts'
import type { Scope, ScopedStart, Scoping } from '../../src/spawn/scope.ts'
import { requires } from '../support/requires.ts'

const good: Scope = { unit: 'holdfast-1-a.scope', path: '/system.slice/holdfast-1-a.scope' }
const bad: Scope = { reason: 'systemd gave up holdfast-1-a.scope at once', hint: 'journalctl' }

describe('a spawner that is to live in a scope', () => {
  before(function () {
    requires(this, 'linux', 'native')
  })

  /** A stand-in for systemd-run: a shell that becomes the program, or does what `script` says. */
  function scoping(tries: ScopedStart[], script: string, verdict: () => Scope): Scoping {
    return (program, args) => {
      const start: ScopedStart = {
        command: ['/bin/sh', '-c', script, 'sh', program, ...args],
        env: {},
        verify: verdict,
      }
      tries.push(start)
      return start
    }
  }

  async function withSpawner(how: Scoping, body: (spawner: NativeSpawner) => Promise<void>): Promise<void> {
    const native = nativeProgram()
    const spawner = new NativeSpawner('path' in native ? native.path : '', new KeepAlive(), { scoping: how })
    try {
      await body(spawner)
    } finally {
      await spawner.close()
    }
  }

  it('says in which, once it runs there', async () => {
    await withSpawner(
      scoping([], 'exec "$@"', () => good),
      async spawner => {
        assert.deepEqual(await Promise.all([spawner.scope(), spawner.scope()]), [good, good])
        assert.notEqual(spawner.prepare(), null)
      },
    )
  })

  it('is tried again when the scope was dead at birth', async () => {
    const tries: ScopedStart[] = []
    const verdicts = [bad, good]
    await withSpawner(
      scoping(tries, 'exec "$@"', () => verdicts.shift() ?? bad),
      async spawner => {
        assert.deepEqual(await spawner.scope(), good)
      },
    )
  })

  it('runs without one after the last try, and says why', async () => {
    const tries: ScopedStart[] = []
    await withSpawner(
      scoping(tries, 'echo "Failed to connect to bus" >&2; exit 1', () => good),
      async spawner => {
        const scope = await spawner.scope()
        assert.match(JSON.stringify(scope), /Failed to connect to bus/)
        assert.notEqual(spawner.prepare(), null)
        const asked = tries.length
        assert.deepEqual(await spawner.scope(), scope)
        assert.equal(tries.length, asked, 'it is not asked for again')
      },
    )
  })

  it('gets another one when it has died', async () => {
    let units = 0
    await withSpawner(
      scoping([], 'exec "$@"', () => ({ unit: `holdfast-1-${++units}.scope`, path: null })),
      async spawner => {
        const first = await spawner.scope()
        process.kill(spawner.prepare() ?? 0, 'SIGKILL')
        let second = first
        for (let tries = 0; JSON.stringify(second) === JSON.stringify(first) && tries < 1000; tries++) {
          await new Promise(resolve => setTimeout(resolve, 5))
          second = await spawner.scope()
        }
        assert.deepEqual(second, { unit: 'holdfast-1-2.scope', path: null })
      },
    )
  })

  it('is not started for a refused start where nobody manages units', async () => {
    await withSpawner(
      () => null,
      async spawner => assert.equal(await spawner.scope(), null),
    )
  })
})
