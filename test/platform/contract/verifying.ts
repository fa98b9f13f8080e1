import { strict as assert } from 'node:assert'
import type { Executor } from '../../../src/index.ts'
import { hasCgroups } from '../../support/host-mode.ts'
import { outputOf, untilOutput } from '../../support/output.ts'
import { refuses } from '../../support/refuses.ts'
import { missingTrait } from '../../support/traits.ts'
import type { Section } from './adapter.ts'

const waiting = 'echo ready; while :; do sleep 0.05; done'

const unreadable = missingTrait(['proc']) !== null

/** No row may say of what is in force that it is not, nor be left unread where there is something to read. */
async function holds(task: Executor, ...names: readonly string[]): Promise<void> {
  const { verdict, live, rows } = await task.verify()
  const unread = rows.filter(row => row.verdict === 'unread')
  const wrong = rows.filter(row => row.verdict === 'differs' || (!unreadable && unread.includes(row)))
  assert.deepEqual([wrong, verdict, live], [[], unread.length > 0 ? 'unread' : 'holds', true])
  assert.deepEqual(
    rows.map(({ name, status, requested }) => ({ name, status, requested })),
    task.enforcement.map(({ name, status, requested }) => ({ name, status, requested })),
  )
  for (const name of names) assert.equal(rows.find(row => row.name === name)?.verdict, 'holds', name)
}

/** What is in force, read back. */
export const verifying: Section = (check, { platform, native }) => {
  const limited = platform === 'linux' && hasCgroups()
  const isolated = platform === 'linux'
  const walls = [
    'namespace.mount',
    'namespace.pid',
    'root',
    'user',
    'capabilities',
    'noNewPrivileges',
    'seccomp',
  ]

  check('finds in force what it says of a task, whoever looks, also after other limits', async bench => {
    const task = bench.shell(waiting)
    await task.limit({
      cpu: 300,
      cpuLimit: 0.5,
      memoryMB: 64,
      memoryReserveBytes: 10_000_001,
      pids: 50,
      cpuset: '0',
      wallTimeMs: 3_600_000,
      rlimits: { nofile: [64, 128], core: 0 },
    })
    await refuses(task.verify(), { code: 'INVALID_STATE' })
    await task.start()
    await untilOutput(task, 'ready')
    const limits = ['cpu', 'cpuLimit', 'memoryMB', 'memoryReserveBytes', 'pids', 'cpuset']
    // A user's service manager delegates no cpuset.
    const skipped = task.enforcement.filter(({ status }) => status === 'skipped').map(({ name }) => name)
    const kernel = limited ? limits.filter(name => name !== 'cpuset' || !skipped.includes(name)) : []
    const own = isolated ? [...walls, 'rlimits.nofile', 'rlimits.core'] : []
    await holds(task, 'wallTimeMs', ...kernel, ...own)
    await task.update({ memoryMB: 80, cpu: 400, rlimits: { nofile: 256 } })
    await holds(task, 'wallTimeMs', ...kernel)
    const taken = await bench.another().open(task.id())
    await holds(taken, 'wallTimeMs', ...kernel)
    await task.forceStop()
    const { live, verdict } = await task.verify()
    assert.deepEqual([live, verdict], [false, 'unread'])
  })

  check('finds in force what it says of what runs inside it', async bench => {
    const task = bench.shell(waiting)
    await task.limit({ memoryMB: 64 })
    await task.start()
    const session = bench.exec(task, '/bin/sh', '-c', waiting)
    await session.start()
    await untilOutput(session, 'ready')
    await holds(session, ...(isolated ? ['inside', ...walls] : []))
    const other = await bench.another().open(task.id())
    const second = bench.exec(other, '/bin/sh', '-c', waiting)
    await second.start()
    await holds(second)
  })

  if (!isolated || !native) return

  check('takes more that a task has given up for no difference', async bench => {
    const task = bench.shell(`ulimit -n 16; ${waiting}`)
    await task.limit({ rlimits: { nofile: 1024 } })
    await task.start()
    await untilOutput(task, 'ready')
    await holds(task, 'rlimits.nofile', ...walls)
  })

  check('finds in force what is loosened, and a network of its own', async bench => {
    const task = bench.shell(waiting)
    Object.assign(task.command, {
      network: 'none',
      seccomp: 'off',
      namespaces: { ipc: false },
      noNewPrivileges: false,
    })
    await task.start()
    await holds(task, 'network', 'namespace.mount', 'capabilities')
    const session = bench.exec(task, '/bin/true')
    await outputOf(session)
    const rules = bench.shell(waiting)
    rules.command.network = { allow: ['example.com'] }
    await rules.start()
    await holds(rules, 'network', ...walls)
  })
}
