import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Enforcement } from '../../src/index.ts'
import { programCommand } from '../support/program.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

/**
 * As a container runtime leaves it: a cgroup namespace, and the supervisor itself in what looks like the
 * root.
 */
describe('in a container with cgroup v2', () => {
  before(function () {
    requires(this, 'linux', 'root', 'cgroup-v2', 'native', 'throwaway')
  })

  it('moves itself to a leaf, and enforces every limit', async () => {
    const box = `/sys/fs/cgroup/box-${process.pid}`
    const stateDir = temporaryDirectory('container')
    mkdirSync(box)
    const limits = JSON.stringify({ memoryMB: 32, pids: 20, cpuLimit: 0.5 })
    const enter = `echo $$ > ${box}/cgroup.procs && exec unshare -C -m sh -c 'umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' sh "$@"`
    const line = [...programCommand('orchestrator'), stateDir, 'tail /dev/zero', limits]
    const child = spawn('/bin/sh', ['-c', enter, 'sh', ...line], { stdio: ['ignore', 'pipe', 'inherit'] })
    const exit = once(child, 'exit')
    try {
      const said = (await Promise.race([
        once(createInterface(child.stdout), 'line'),
        exit.then(([code]) => assert.fail(`the orchestrator ended with ${code}`)),
      ])) as [string]
      const { enforcement } = JSON.parse(said[0]) as { enforcement: Enforcement[] }
      assert.deepEqual(
        enforcement.filter(({ kind, status }) => kind === 'limit' && status !== 'enforced'),
        [],
      )
      assert.equal(readFileSync(`${box}/cgroup.type`, 'utf8').trim(), 'domain')
      assert.match(readFileSync(`/proc/${child.pid}/cgroup`, 'utf8'), /\/holdfast-supervisor$/m)
      await until(() => / oom_kill [1-9]|^oom_kill [1-9]/m.test(readFileSync(`${box}/memory.events`, 'utf8')))
    } finally {
      child.kill('SIGKILL')
      await exit
      await until(() => /populated 0/.test(readFileSync(`${box}/cgroup.events`, 'utf8')))
      for (const leaf of ['holdfast-supervisor', 'holdfast', '']) rmdirSync(`${box}/${leaf}`)
      removeTemporary(stateDir)
    }
  })
})

async function until(met: () => boolean): Promise<void> {
  for (let tries = 0; !met(); tries++) {
    assert.ok(tries < 600, met.toString())
    await sleep(100)
  }
}
