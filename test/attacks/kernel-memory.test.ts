import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Executor } from '../../src/index.ts'
import { strongest } from '../support/identity.ts'
import { outputOf, untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { withFilesystem } from '../support/small-filesystem.ts'
import { keyOf, startRecordOf } from '../support/task-key.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { attacker, compiled } from './hostile.ts'
import { parseStartRecord } from './start-record.ts'

const MiB = 1024 * 1024

describe('attack: memory of the kernel that a task’s own limit does not count', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const place of ['/tmp', '/dev/shm', '/data'])
    it(`empty files in ${place} come to an end where its pages do`, () =>
      withWorkbench('linux', async bench => {
        const tmpfs = [{ target: place, sizeBytes: 8 * MiB }]
        const task = attacker(bench, 'inodes', [place, '100000'], { tmpfs, user: strongest })
        const program = { source: join(compiled('inodes'), '..'), target: '/hostile', readOnly: true }
        Object.assign(task.command, { path: '/hostile/inodes', mounts: [program] })
        const [made, why] = (await outputOf(task)).trim().split(' ')
        assert.equal(why, 'ENOSPC')
        assert.ok(Number(made) <= 2048 && Number(made) > 2000, made)
      }))

  it('what nobody named is bounded too, and a small one has room for a thousand', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('stat -f -c %c /tmp /dev/shm /few')
      Object.assign(task.command, { tmpfs: [{ target: '/few', sizeBytes: 4096 }] })
      assert.equal(await outputOf(task), '131072\n131072\n1024\n')
    }))

  it('control: a tmpfs of that size with the kernel’s own bound takes them all', async function () {
    requires(this, 'root')
    await withFilesystem(`size=${8 * MiB}`, path =>
      withWorkbench('linux', async bench => {
        const mounts = [
          { source: join(compiled('inodes'), '..'), target: '/tmp/hostile', readOnly: true },
          { source: path, target: '/data' },
        ]
        const task = attacker(bench, 'inodes', ['/data', '100000'], { mounts, user: 'root' })
        assert.equal(await outputOf(task), '100000 ok\n')
      }),
    )
  })

  describe('cgroup v1: buffers of TCP connections', () => {
    before(function () {
      requires(this, 'root', 'cgroup-v1')
    })

    it('are held to as much again as the memory limit, also after update()', () =>
      withWorkbench('linux', async bench => {
        const task = await held(bench)
        assert.ok((await taken(task, bench)) <= 56)
        await task.update({ memoryMB: 64 })
        assert.equal(readFileSync(limitOf(task), 'utf8').trim(), `${64 * MiB}`)
        await task.forceStop()
      }))

    it('control: with that one file raised, several times as much is held under the same limit', () =>
      withWorkbench('linux', async bench => {
        const task = await held(bench)
        writeFileSync(limitOf(task), '-1')
        assert.ok((await taken(task, bench)) >= 150)
        await task.forceStop()
      }))
  })
})

/** Started with 48 MiB, and waiting for a word before it does anything. */
async function held(bench: Workbench): Promise<Executor> {
  const task = bench.shell(
    'echo ready; until [ -e /local/go ]; do sleep 0.05; done; exec /tmp/hostile/tcp_hog 160',
  )
  const mounts = [{ source: join(compiled('tcp_hog'), '..'), target: '/tmp/hostile', readOnly: true }]
  Object.assign(task.command, { mounts })
  await task.limit({ memoryMB: 48 })
  await task.start()
  await untilOutput(task, 'ready')
  return task
}

/** MiB that the connections took in before they took no more. */
async function taken(task: Executor, bench: Workbench): Promise<number> {
  writeFileSync(join(parseStartRecord(bench.stateDir, keyOf(task)).local, 'go'), '')
  return Number(/taken (\d+)/.exec(await untilOutput(task, 'MiB'))?.[1])
}

function limitOf(task: Executor): string {
  const memory = startRecordOf(task).cgroups.find(dir => dir.includes('/memory/')) ?? ''
  return join(memory, 'memory.kmem.tcp.limit_in_bytes')
}
