import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { requires } from '../support/requires.ts'
import { javaProgram } from '../support/runtimes.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { Allocation } from './support/allocation.ts'
import { javaSeen } from './support/java-seen.ts'
import { PluginHost } from './support/plugin-host.ts'

const mebibyte = 1024 * 1024

/** As a job has it that ran under `exec` or `java`: `config { command = "java" }`. */
describe('a Java program as a Nomad task', function () {
  this.timeout(60_000)
  let directory: string
  let host: PluginHost
  before(async function () {
    requires(this, 'root', 'linux', 'native', 'java', 'own-cgroup')
    directory = temporaryDirectory('nomad-java')
    host = await PluginHost.launch()
    await host.configure({ state_dir: join(directory, 'state') })
  })
  after(async () => {
    await host?.kill()
    if (directory) removeTemporary(directory)
  })

  it('finds its own host by name, and takes its heap from the memory of the job', async () => {
    const allocation = new Allocation(directory)
    writeFileSync(join(allocation.dir, 't/local/Seen.java'), javaSeen)
    const task = allocation.task(
      // A quarter of the memory is Java's own default.
      { command: javaProgram() ?? '', args: ['-XX:+UseSerialGC', '/local/Seen.java'] },
      {
        resources: {
          allocated_resources: { cpu: { cpu_shares: 100 }, memory: { memory_mb: 1024, memory_max_mb: 0 } },
          linux_resources: { cpu_shares: 100, memory_limit_bytes: 1024 * mebibyte, PercentTicks: 0.1 },
        },
      },
    )
    try {
      await host.client.driver('StartTask', { task })
      const { result } = await host.client.driver('WaitTask', { task_id: task.id })
      const [said, complaints] = [allocation.logged(), allocation.logged('stderr')]
      assert.deepEqual(result, { exit_code: 0, signal: 0, oom_killed: false }, complaints)
      const [, name, address] = /^host (\S+) (\S+)$/m.exec(said) ?? []
      assert.ok(name && address, said)
      const heap = Number(/^heap (\d+)$/m.exec(said)?.[1])
      assert.ok(heap > 200 * mebibyte && heap <= 256 * mebibyte, `a heap of ${heap}`)
    } finally {
      await host.client.driver('DestroyTask', { task_id: task.id, force: true })
      allocation.close()
    }
  })
})
