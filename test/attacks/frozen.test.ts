import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { detectCgroups } from '../../src/platform/linux/cgroup-mode.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'
import { parseStartRecord } from './start-record.ts'

describe('attack: a process that cannot be killed', function () {
  // The shim gives up after ten seconds.
  this.timeout(120_000)
  let cage = ''

  before(function () {
    requires(this, 'root', 'linux', 'native', 'cgroup-v1')
    // Somebody else's freezer: the one of cgroup v1 keeps SIGKILL waiting as a hung mount does.
    const freezer = detectCgroups().v1.get('freezer')
    if (freezer === undefined) {
      process.stderr.write('SKIPPED: needs the freezer of cgroup v1 (mount -t cgroup -o freezer)\n')
      return this.skip()
    }
    cage = join(freezer, `holdfast-test-${process.pid}`)
    mkdirSync(cage)
  })
  after(() => {
    if (existsSync(cage)) rmdirSync(cage)
  })

  for (const platform of ['linux', 'basic'] as const)
    it(`is named when a stop gives up, and so for whoever asks later (${platform})`, () =>
      withWorkbench(platform, async bench => {
        const task = bench.command('sleep', '1000')
        // A cgroup for each, in which it stays.
        await task.limit({ memoryMB: 64, pids: 16, cpu: 100, cpuset: '0', iops: 100 })
        await task.start()
        const [key = ''] = bench.keys()
        const { task: pid } = parseStartRecord(bench.stateDir, key)
        writeFileSync(join(cage, 'cgroup.procs'), String(pid))
        writeFileSync(join(cage, 'freezer.state'), 'FROZEN')
        try {
          const alive = { code: 'LOST', message: new RegExp(`still alive: ${pid}$`) }
          // On a machine that is slow enough it says that it has waited too long; so it is asked again when
          // all is known.
          await assert.rejects(task.forceStop(), { code: 'LOST' })
          const { exitCode, signal, cause, evidence, logsComplete, error } = await task.wait()
          assert.deepEqual(
            { exitCode, signal, cause, evidence, logsComplete },
            { exitCode: null, signal: null, cause: 'lost', evidence: 'record', logsComplete: false },
          )
          assert.match(error?.message ?? '', new RegExp(`still alive: ${pid}$`))
          await assert.rejects(task.forceStop(), alive)
          const later = await bench.another().open(task.id())
          await assert.rejects(later.forceStop(), alive)
        } finally {
          writeFileSync(join(cage, 'freezer.state'), 'THAWED')
        }
        while (existsSync(`/proc/${pid}`)) await sleep(20)
      }))
})
