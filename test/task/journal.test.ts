import { strict as assert } from 'node:assert'
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HistoryEntry, TaskHistoryEntry } from '../../src/index.ts'
import { Journal, journalName, readHistory } from '../../src/task/journal.ts'
import { adapters, type Section } from '../platform/contract/adapter.ts'
import { declare } from '../platform/contract.ts'
import { untilOutput } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { directoryOf, keyOf } from '../support/task-key.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

const secret = 'correct-horse-battery'

const journals: Section = (check, { platform }) => {
  check('has each change of state with its cause, and no word of environment or arguments', async bench => {
    const heard: TaskHistoryEntry[] = []
    bench.supervisor.journal$.subscribe(entry => heard.push(entry))
    const task = bench.command('/bin/sh', '-c', 'trap "" USR1; echo ready; sleep 1000 & wait; wait', secret)
    task.command.env = { PASSWORD: secret }
    await task.limit({ pids: 32 })
    await task.start()
    // Its trap is set: without, the signal would be its end.
    await untilOutput(task, 'ready')
    const key = keyOf(task)
    await task.signal('SIGUSR1')
    await task.shutdown({ graceMs: 0 })
    const history = await bench.supervisor.history(key)
    assert.deepEqual(
      history.map(({ sequence, from, to, event }) => [sequence, from, to, event]),
      [
        [1, 'configured', 'limited', 'LIMIT'],
        [null, 'limited', 'limited', 'START'],
        [2, 'limited', 'running', 'launch done'],
        [null, 'running', 'running', 'SIGNAL'],
        [3, 'running', 'stopping', 'STOP'],
        [4, 'stopping', 'exited', 'EXITED'],
      ],
    )
    const [, , launched, , stopped, ended] = history
    assert.ok(launched?.tookMs !== undefined && launched.tookMs > 0)
    assert.deepEqual([stopped?.signal, stopped?.graceMs], ['SIGTERM', 0])
    assert.deepEqual([ended?.cause, ended?.signal, ended?.evidence], ['forced', 'SIGKILL', 'record'])
    assert.deepEqual(
      heard.map(({ task: _, ...entry }) => entry),
      history,
    )

    await bench.supervisor.close()
    const path = join(directoryOf(task), journalName)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.doesNotMatch(readFileSync(path, 'utf8'), new RegExp(`${secret}|PASSWORD|sleep|/bin`))
    assert.deepEqual(await bench.another().history(key), history)
  })

  check('tells why a start has failed, without paths', async bench => {
    const task = bench.command('/nonexistent/program')
    await assert.rejects(task.start())
    const last = (await bench.supervisor.history(keyOf(task))).at(-1)
    assert.deepEqual(
      [last?.event, last?.cause, last?.failure?.errno],
      ['launch failed', 'startFailed', 'ENOENT'],
    )
    assert.doesNotMatch(JSON.stringify(last), /nonexistent/)
  })

  check('is completed, and not repeated, by whoever looks at the task later', async bench => {
    const task = bench.command('sleep', '1000')
    await task.start()
    const key = keyOf(task)
    const path = join(directoryOf(task), journalName)
    await bench.supervisor.close()
    // Its supervisor was killed before it could write, and in the middle of a line.
    writeFileSync(path, '{"sequence":1,"at":"2024-01-')
    const second = bench.another()
    await second.openAll()
    await second.tasks.get(key)?.forceStop()
    await second.close()
    for (let look = 0; look < 3; look++) {
      const later = bench.another()
      await later.openAll()
      await later.close()
    }
    const expected = [
      [1, 'limited'],
      [2, 'running'],
      [3, 'stopping'],
      [4, 'exited'],
    ]
    assert.deepEqual((await bench.another().history(key)).map(numberAndState), expected)
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(1)
    assert.deepEqual(
      lines.map(line => numberAndState(JSON.parse(line) as HistoryEntry)),
      expected,
    )
  })

  check('that cannot be written disturbs no task', async bench => {
    const task = bench.shell('sleep 0.2; exit 3')
    await task.start()
    const path = join(directoryOf(task), journalName)
    rmSync(path, { force: true })
    mkdirSync(path)
    assert.equal((await task.wait()).exitCode, 3)
    assert.equal((await bench.supervisor.history(keyOf(task))).at(-1)?.to, 'exited')
    await task.destroy()
  })

  if (platform === 'basic') {
    check('of a task that is not there is refused', async bench => {
      await refuses(bench.supervisor.history('../../etc'), { code: 'INVALID_ARGUMENT', message: /key/ })
      await refuses(bench.supervisor.history('00000000000000'), { code: 'NOT_FOUND', message: /no task/ })
    })
  }
}

describe('a journal', () => {
  for (const adapter of adapters) declare(adapter.title, adapter, { 'of a task': journals })

  describe('as a file', () => {
    let dir: string
    beforeEach(() => {
      dir = temporaryDirectory('journal')
    })
    afterEach(() => removeTemporary(dir))

    it('gives each change once, the first writer having the word, and skips what it cannot read', () => {
      const path = join(dir, journalName)
      for (const entry of [
        change(1, 'limited'),
        change(3, 'exited'),
        change(2, 'running'),
        change(2, 'exited'),
      ])
        appendFileSync(path, `${JSON.stringify(entry)}\n`)
      appendFileSync(
        path,
        'null\n7\n{"sequence":4}\n{"sequence":5,"from":"a","to":"b","event":"c","at":"never"}\n{"seq',
      )
      assert.deepEqual(readHistory(dir).map(numberAndState), [
        [1, 'limited'],
        [2, 'running'],
        [3, 'exited'],
      ])
    })

    it('stays bounded: when it is full only changes of state are added', () => {
      const journal = new Journal(dir, true)
      for (let count = 0; count < 5000; count++) {
        journal.add({ ...change(1, 'running'), sequence: null, event: 'SIGNAL', signal: 'SIGHUP' })
        journal.flush()
      }
      assert.ok(statSync(join(dir, journalName)).size < 80 * 1024)
      assert.ok(journal.add(change(2, 'exited')))
      journal.flush()
      assert.deepEqual(
        readHistory(dir)
          .filter(({ sequence }) => sequence !== null)
          .map(numberAndState),
        [[2, 'exited']],
      )
    })
  })
})

function change(sequence: number, to: HistoryEntry['to']): HistoryEntry {
  return { sequence, at: new Date(), from: 'configured', to, event: 'START' }
}

function numberAndState({ sequence, to }: HistoryEntry): [number | null, string] {
  return [sequence, to]
}
