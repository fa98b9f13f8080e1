import { strict as assert } from 'node:assert'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { untrusted } from '../../src/command/untrusted.ts'
import { type Command, type Resources, setCommand } from '../../src/index.ts'
import { planDisk } from '../../src/platform/linux/disk.ts'
import { enforced } from '../../src/platform/rows.ts'
import { output } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { withWorkbench } from '../support/workbench.ts'

const MiB = 1024 * 1024

describe('untrusted', () => {
  it('has no network, few processes and files, and directories of a bounded size', () => {
    const { command, resources, options } = untrusted({}, {})
    assert.equal(command.network, 'none')
    assert.deepEqual(command.tmpfs, [{ target: '/tmp', sizeBytes: 256 * MiB }])
    assert.deepEqual(resources, { pids: 1024, rlimits: { nofile: 1024, core: 0 } })
    assert.deepEqual(options, {
      strict: true,
      preferredUser: 'own',
      bounded: true,
      preferred: { diskBytes: 1024 * MiB },
    })
  })

  it('gives way to what the caller says, one by one', () => {
    const { command, resources } = untrusted(
      { network: 'host', tmpfs: [{ target: '/tmp', sizeBytes: 4096 }] },
      { pids: 3, memoryMB: 64, rlimits: { nofile: 9 }, diskBytes: 5 * MiB },
    )
    assert.equal(command.network, 'host')
    assert.deepEqual(command.tmpfs, [{ target: '/tmp', sizeBytes: 4096 }])
    assert.deepEqual(resources, {
      pids: 3,
      memoryMB: 64,
      diskBytes: 5 * MiB,
      rlimits: { nofile: 9, core: 0 },
    })
    const without = untrusted({}, { pids: Infinity, diskBytes: Infinity })
    assert.deepEqual(without.resources, { rlimits: { nofile: 1024, core: 0 } })
    assert.deepEqual(without.options.preferred, {})
  })

  describe('fills no disk of the host, wherever it can write', () => {
    before(function () {
      requires(this, 'root', 'linux', 'native', 'disk')
    })

    /** Each directory that it can write in, and whether it took so many MiB. */
    const filled = async (asked: Resources | null, mebibytes: number): Promise<string[]> => {
      let full: string[] = []
      await withWorkbench('linux', async bench => {
        const { command, resources, options } =
          asked === null ? { command: {}, resources: {}, options: {} } : untrusted({}, asked)
        const task = bench.supervisor.executor('linux', options)
        Object.assign(task.command, command)
        await task.limit(resources)
        // All that it finds, so that none is forgotten.
        const script = `for at in $(find / -xdev -type d -writable 2>/dev/null; find /alloc /local -type d -writable); do
          case $at in /alloc* | /local*) dd if=/dev/zero of=$at/fill bs=1M count=${mebibytes} 2>/dev/null && echo all $at || echo full $at ;; esac; done`
        setCommand(task, 'sh', ['-c', script])
        await task.start()
        await task.wait()
        const found = (await output(task)).trim().split('\n').filter(Boolean)
        await task.destroy()
        full = [...new Set(found)].sort()
      })
      return full
    }

    it('on a file system of its own, which all of them share', async () => {
      const places = await filled({ diskBytes: 16 * MiB }, 20)
      assert.deepEqual(places, ['full /alloc', 'full /alloc/data', 'full /alloc/tmp', 'full /local'])
    })

    it('in memory, where that has no limit or is not to be had', async () => {
      assert.deepEqual(await filled({ diskBytes: Infinity }, 300), [
        'full /alloc/data',
        'full /alloc/tmp',
        'full /local',
      ])
    })

    it('control: without it the same task writes as much as it likes to the host', async () => {
      assert.deepEqual(await filled(null, 20), [
        'all /alloc',
        'all /alloc/data',
        'all /alloc/tmp',
        'all /local',
      ])
    })
  })

  describe('where this host can make no file system', () => {
    const planned = (command: Pick<Command, 'workspace'>) => {
      const { resources, options } = untrusted({}, {})
      const dir = temporaryDirectory('untrusted')
      const alloc = join(dir, 'allocs', 'key')
      const at = join(dir, 'tasks', 'key')
      mkdirSync(at, { recursive: true })
      const request = {
        key: 'key',
        alloc: { root: alloc, shared: alloc, task: alloc, local: alloc },
        command: { path: 'true', args: [], env: {}, ...command },
        resources: { ...resources, ...options.preferred },
        preferred: ['diskBytes'],
        bounded: true,
      }
      const row = enforced({ name: 'diskBytes', kind: 'limit', requested: '1' })
      const user = { right: 'user-namespace', self: { uid: 1000, gid: 1000, groups: [] } } as const
      const walls = { capabilities: [], seccomp: true }
      return planDisk([row], request, at, user, walls).finally(() => removeTemporary(dir))
    }

    it('it is in memory, and the row says so', async () => {
      const { rows, bound, inMemory } = await planned({})
      assert.deepEqual([bound, inMemory], [null, true])
      assert.deepEqual([rows[0]?.status, rows[0]?.chosen], ['weakened', true])
      assert.match(rows[0]?.reason ?? '', /does not hold here: only root .* are in memory/)
    })

    it('what an overlay keeps would have no bound: a shortfall, which strict refuses', async () => {
      const { rows } = await planned({ workspace: { path: '/srv', overlay: true } })
      assert.deepEqual([rows[0]?.status, rows[0]?.chosen], ['skipped', false])
      assert.match(rows[0]?.hint ?? '', /--disk max/)
    })
  })
})
