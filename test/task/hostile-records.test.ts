import { strict as assert } from 'node:assert'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { audit, HoldfastError, type Executor, Supervisor } from '../../src/index.ts'
import { holdfast } from '../cli/program.ts'
import { requires } from '../support/requires.ts'
import { directoryOf, keyOf } from '../support/task-key.ts'
import { plantedInstead } from '../support/planted.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

/** What lies in the place of a record. */
const planted: Readonly<Record<string, (path: string) => unknown>> = {
  ...plantedInstead,
  'bad JSON': path => writeFileSync(path, '{"format":'),
  'JSON of another shape': path => writeFileSync(path, 'null'),
  'no UTF-8': path => writeFileSync(path, Buffer.from([0x22, 0xff, 0xfe, 0x22])),
}

const records = [
  'task.json',
  'start.json',
  'exit.json',
  'limits.1.json',
  'journal.ndjson',
  'alive',
  'control',
]

describe('whatever lies in the place of a record: nothing raw, nothing hangs, no other task is harmed', () => {
  before(function () {
    requires(this, 'linux', 'native')
  })

  for (const record of records)
    for (const [what, plant] of Object.entries(planted))
      it(`${record}: ${what}`, async () => {
        const stateDir = temporaryDirectory('hostile')
        const first = new Supervisor({ stateDir })
        const [victim, neighbour] = [await running(first), await running(first)]
        const dir = directoryOf(victim)
        const keys = [keyOf(victim), keyOf(neighbour)] as const
        const whileRunning = readFileSync(join(dir, 'task.json'))
        await victim.shutdown({ graceMs: 0 })
        await first.close()
        // As it was while the task ran: a stored end would be believed, and no other record looked at.
        writeFileSync(join(dir, 'task.json'), whileRunning)
        rmSync(join(dir, record), { recursive: true, force: true })
        plant(join(dir, record))
        const later = new Supervisor({ stateDir })
        try {
          const report = await later.openAll()
          assert.deepEqual(report.resumed, [keys[1]])
          for (const { error } of report.quarantined) assert.equal(error.code, 'STATE_CORRUPT')
          const refusal = await inWords(async () => (await later.open(victim.id())).enforcement)
          if (record === 'limits.1.json') assert.equal(refusal, 'STATE_CORRUPT')
          await inWords(() => later.history(keys[0]))
          await inWords(() => audit({ stateDir }))
          const { stdout, stderr } = await holdfast(stateDir, 'ps', '--all', '--json')
          assert.match(stdout, new RegExp(keys[1]))
          assert.doesNotMatch(stderr, /SyntaxError|TypeError|EISDIR|ELOOP|ENXIO/)
          await later.discard(keys[0])
          const kept = await later.open(neighbour.id())
          await kept.shutdown({ graceMs: 0 })
          assert.equal((await kept.wait()).signal, 'SIGKILL')
        } finally {
          await later.discard(keys[1]).catch(() => {})
          await later.close()
          removeTemporary(stateDir)
        }
      })
})

async function running(supervisor: Supervisor): Promise<Executor> {
  const task = supervisor.executor('basic')
  Object.assign(task.command, { path: '/bin/sleep', args: ['1000'] })
  await task.start()
  return task
}

/** It does what is asked, or says why it cannot in words of its own. */
async function inWords(ask: () => unknown): Promise<string | null> {
  try {
    await ask()
    return null
  } catch (error) {
    assert.ok(error instanceof HoldfastError, String(error))
    return error.code
  }
}
