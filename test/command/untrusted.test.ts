import { strict as assert } from 'node:assert'
import { untrusted } from '../../src/command/untrusted.ts'
import { setCommand, Supervisor } from '../../src/index.ts'
import { output } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('untrusted', () => {
  it('has no network, few processes and files, and directories of a bounded size', () => {
    const { command, resources } = untrusted({}, {})
    assert.equal(command.network, 'none')
    assert.deepEqual(command.tmpfs?.map(({ target }) => target).sort(), [
      '/alloc/data',
      '/alloc/tmp',
      '/local',
      '/tmp',
    ])
    assert.ok(command.tmpfs?.every(({ sizeBytes }) => sizeBytes !== undefined))
    assert.deepEqual(resources, { pids: 1024, rlimits: { nofile: 1024, core: 0 } })
  })

  it('gives way to what the caller says, one by one', () => {
    const { command, resources } = untrusted(
      { network: 'host', tmpfs: [{ target: '/tmp', sizeBytes: 4096 }] },
      { pids: 3, memoryMB: 64, rlimits: { nofile: 9 } },
    )
    assert.equal(command.network, 'host')
    assert.deepEqual(
      command.tmpfs?.filter(({ target }) => target === '/tmp'),
      [{ target: '/tmp', sizeBytes: 4096 }],
    )
    assert.deepEqual(resources, { pids: 3, memoryMB: 64, rlimits: { nofile: 9, core: 0 } })
  })

  for (const bounded of [true, false])
    it(
      bounded
        ? 'a task cannot fill a disk of the host: what it writes anywhere is bounded, and not there'
        : 'control: without it the same task writes as much as it likes to the host',
      async function () {
        requires(this, 'root', 'linux', 'native')
        this.timeout(120_000)
        const stateDir = temporaryDirectory('untrusted')
        const supervisor = new Supervisor({ stateDir })
        const task = supervisor.executor('linux', { strict: bounded })
        // 300 MiB to each place that it can write to.
        const script =
          'for at in /local /alloc/data /alloc/tmp; do dd if=/dev/zero of=$at/fill bs=1M count=300 2>/dev/null || echo full $at; done'
        try {
          const { command, resources } = bounded ? untrusted({}, {}) : { command: {}, resources: {} }
          Object.assign(task.command, command)
          await task.limit(resources)
          setCommand(task, 'sh', ['-c', script])
          await task.start()
          await task.wait()
          const full = bounded ? ['/local', '/alloc/data', '/alloc/tmp'] : []
          assert.deepEqual(
            (await output(task)).trim().split('\n').filter(Boolean),
            full.map(at => `full ${at}`),
          )
        } finally {
          await task.destroy()
          await supervisor.close()
          removeTemporary(stateDir)
        }
      },
    )
})
