import { strict as assert } from 'node:assert'
import { execFile as execFileOf } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Envelope } from '../../machines/index.ts'
import type { Supervisor, TaskTransition } from '../../src/index.ts'
import { newTaskKey } from '../../src/task/task-id.ts'
import { adapters, type Section } from '../platform/contract/adapter.ts'
import { declare } from '../platform/contract.ts'
import { compiled } from '../support/compiled.ts'
import { output, untilOutput } from '../support/output.ts'
import { directoryOf, keyOf, startRecordOf } from '../support/task-key.ts'

const execFile = promisify(execFileOf)
const deaf = 'trap "" TERM; echo ready; while :; do sleep 0.02; done'
const untilTerm = 'trap "exit 9" TERM; echo ready; while :; do sleep 0.02; done'

const succeeding: Section = check => {
  check('hands a stop that is half way on and on, from supervisor to supervisor', async bench => {
    const task = bench.shell(deaf)
    await task.start()
    await untilOutput(task, 'ready')
    const [key, directory] = [keyOf(task), directoryOf(task)]
    const told = task.shutdown({ graceMs: 600_000 }).catch(() => {})
    const { killAt } = envelopeOf(directory).snapshot.context.stop ?? {}
    assert.ok(killAt)
    await bench.supervisor.close()
    await told
    for (let successor = 1; successor <= 3; successor++) {
      const next = bench.another()
      assert.deepEqual((await next.openAll()).resumed, [key])
      assert.equal(next.tasks.get(key)?.state, 'stopping')
      assert.equal(envelopeOf(directory).snapshot.value, 'stopping')
      assert.equal(envelopeOf(directory).snapshot.context.stop?.killAt, killAt)
      await next.close()
    }
  })

  check('goes on with the stop of the leader alone', async bench => {
    const task = bench.shell(`cd $HOLDFAST_TASK_DIR
      (trap "echo child told" TERM; : > listens; while :; do sleep 0.02; done) & trap "sleep 1; exit 4" TERM
      until [ -e listens ]; do sleep 0.02; done; echo ready; while :; do sleep 0.02; done`)
    await task.start()
    await untilOutput(task, 'ready')
    const [key, directory] = [keyOf(task), directoryOf(task)]
    const told = task.shutdown({ graceMs: 60_000, target: 'leader' }).catch(() => {})
    assert.equal(envelopeOf(directory).snapshot.context.stop?.target, 'leader')
    await bench.supervisor.close()
    await told
    const next = bench.another()
    await next.openAll()
    const again = next.tasks.get(key)
    assert.ok(again)
    assert.equal((await again.wait()).exitCode, 4)
    assert.doesNotMatch(await output(again), /child told/)
  })

  check('kills at once what an earlier supervisor should have killed by now', async bench => {
    const task = bench.shell(deaf)
    await task.start()
    await untilOutput(task, 'ready')
    const [key, directory] = [keyOf(task), directoryOf(task)]
    const told = task.shutdown({ graceMs: 600_000 }).catch(() => {})
    await bench.supervisor.close()
    await told
    rewrite(directory, text =>
      text
        .replaceAll(/"killAt":\d+/g, '"killAt":1')
        .replaceAll(/("killAtBoot":\{"id":"[^"]*","at":)\d+/g, '$11'),
    )
    const next = bench.another()
    await next.openAll()
    const result = await next.tasks.get(key)?.wait()
    assert.deepEqual([result?.cause, result?.signal, result?.evidence], ['forced', 'SIGKILL', 'record'])
  })

  check(
    'keeps a deadline by no clock that can be set: an onlooker an hour ahead kills nobody',
    async bench => {
      const task = bench.shell(deaf)
      await task.start()
      await untilOutput(task, 'ready')
      const told = task.shutdown({ graceMs: 600_000 }).catch(() => {})
      const { pid } = startRecordOf(task).task
      assert.equal(await stateSeenBy(3_600_000, bench.stateDir), 'stopping')
      assert.equal(await stateSeenBy(-3_600_000, bench.stateDir), 'stopping')
      // An order to kill would have been carried out by now.
      await sleep(300)
      assert.ok(existsSync(`/proc/${pid}`))
      assert.equal(task.state, 'stopping')
      // Control: one who is told by that other clock alone does kill.
      rewrite(directoryOf(task), text => text.replaceAll(/,"killAtBoot":\{[^}]*\}/g, ''))
      await stateSeenBy(3_600_000, bench.stateDir)
      await told
      assert.deepEqual(await task.wait().then(({ cause, signal }) => [cause, signal]), ['forced', 'SIGKILL'])
    },
  )

  check('tells again what its predecessor has not written down as told, by the same numbers', async bench => {
    const task = bench.shell(untilTerm)
    await task.start()
    await untilOutput(task, 'ready')
    const directory = directoryOf(task)
    await bench.supervisor.close()
    rewrite(directory, text => text.replace(/"delivered":\d+/, '"delivered":1'))
    const next = bench.another()
    const changes = listen(next)
    await next.openAll()
    await next.shutdown()
    assert.deepEqual(changes, ['2 limited running', '3 running stopping', '4 stopping exited'])
  })

  check('does not swallow what it tells nobody', async bench => {
    const task = bench.shell('while [ ! -e $HOLDFAST_TASK_DIR/go ]; do sleep 0.02; done; exit 3')
    await task.start()
    const key = keyOf(task)
    await bench.supervisor.close()
    const passerBy = bench.another()
    await passerBy.openAll()
    writeFileSync(join(bench.stateDir, 'allocs', key, 'sh', 'local', 'go'), '')
    await passerBy.tasks.get(key)?.wait()
    await passerBy.close()
    const next = bench.another()
    const changes = listen(next)
    await next.openAll()
    assert.deepEqual(changes, ['3 running exited'])
  })

  check('takes a directory without anything in it for no task', async bench => {
    await bench.shell('exit 0').start()
    const directory = join(bench.stateDir, 'tasks', newTaskKey())
    mkdirSync(directory)
    writeFileSync(join(directory, 'task.json.0a0b0c0d.tmp'), '{"format":"holdf')
    const report = await bench.another().openAll()
    assert.deepEqual([...report.quarantined, ...report.lost], [])
    assert.deepEqual(readdirSync(directory), ['task.json.0a0b0c0d.tmp'])
    await bench.supervisor.discard(directory.slice(-14))
  })
}

const sharing: Section = check => {
  check('tells the states of a task that another one stops, by the same numbers', async bench => {
    const here = listen(bench.supervisor)
    const task = bench.shell(untilTerm)
    await task.start()
    await untilOutput(task, 'ready')
    const other = bench.another()
    const there = listen(other)
    const opened = await other.open(task.id())
    const [first, second] = await Promise.all([task.wait(), opened.shutdown()])
    assert.deepEqual(first, second)
    assert.deepEqual(here.slice(-2), ['3 running stopping', '4 stopping exited'])
    assert.deepEqual(there.slice(-2), here.slice(-2))
  })

  check('lets both stop it at once: it is stopped once, and both are told', async bench => {
    const task = bench.shell(untilTerm)
    await task.start()
    await untilOutput(task, 'ready')
    const others = [bench.another(), bench.another()]
    const opened = await Promise.all(others.map(other => other.open(task.id())))
    const results = await Promise.all([task, ...opened].map(each => each.shutdown({ graceMs: 20_000 })))
    assert.deepEqual([results[0]?.exitCode, results[0]?.cause], [9, 'shutdown'])
    for (const result of results) assert.deepEqual(result, results[0])
  })

  check('draws one conclusion for both when the shim is killed', async bench => {
    const task = bench.shell(deaf)
    await task.start()
    await untilOutput(task, 'ready')
    const other = await bench.another().open(task.id())
    process.kill(startRecordOf(task).shim.pid, 'SIGKILL')
    const results = await Promise.all([task.wait(), other.wait()])
    for (const { cause, evidence } of results) assert.deepEqual([cause, evidence], ['lost', 'inferred'])
    const { context } = envelopeOf(directoryOf(task)).snapshot
    const later = await (await bench.another().open(task.id())).wait()
    assert.equal(later.exitedAt?.getTime(), context.outcome?.exitedAt)
    assert.ok(results.some(result => result.exitedAt?.getTime() === later.exitedAt?.getTime()))
  })

  check('never takes a stop back that another has written down', async bench => {
    const task = bench.shell(deaf)
    await task.start()
    const other = bench.another()
    const opened = await other.open(task.id())
    // At once, before the program can have set a trap: by a signal that ends nobody.
    const stopped = opened.shutdown({ signal: 'SIGCONT', graceMs: 600_000 }).catch(() => {})
    while (envelopeOf(directoryOf(task)).snapshot.value !== 'stopping') await sleep(5)
    // By now the first one has stored its own `running`, some time after the start.
    await sleep(120)
    assert.equal(envelopeOf(directoryOf(task)).snapshot.value, 'stopping')
    await Promise.all([task.forceStop(), stopped])
  })
}

for (const adapter of adapters) {
  declare(`a supervisor that takes over ${adapter.title} tasks`, adapter, { succeeding })
  declare(`two supervisors of one ${adapter.title} task`, adapter, { sharing })
}

function listen(supervisor: Supervisor): string[] {
  const changes: string[] = []
  supervisor.transitions$.subscribe(({ sequence, from, to }: TaskTransition) =>
    changes.push(`${sequence} ${from} ${to}`),
  )
  return changes
}

/** Has another program look at the tasks, whose wall clock is so far ahead, and stay for a moment. */
async function stateSeenBy(aheadMs: number, stateDir: string): Promise<string> {
  const program = `
    const now = Date.now
    Date.now = () => now() + ${aheadMs}
    const { Supervisor } = await import(${JSON.stringify(compiled('src/index.ts'))})
    const supervisor = new Supervisor({ stateDir: ${JSON.stringify(stateDir)} })
    await supervisor.openAll()
    console.log([...supervisor.tasks.values()].map(task => task.state).join())
    await new Promise(resolve => setTimeout(resolve, 200))
    await supervisor.close()`
  const { stdout } = await execFile(process.execPath, ['--input-type=module', '-e', program])
  return stdout.trim()
}

function envelopeOf(directory: string): Envelope {
  return JSON.parse(readFileSync(join(directory, 'task.json'), 'utf8')) as Envelope
}

function rewrite(directory: string, change: (text: string) => string): void {
  const path = join(directory, 'task.json')
  const text = readFileSync(path, 'utf8')
  assert.notEqual(change(text), text)
  writeFileSync(path, change(text))
}
