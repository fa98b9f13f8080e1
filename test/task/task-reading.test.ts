import { strict as assert } from 'node:assert'
import { firstValueFrom, NEVER, of } from 'rxjs'
import type { Call } from '../../machines/index.ts'
import { HoldfastError, type LogOptions, type Usage } from '../../src/index.ts'
import { KeepAlive } from '../../src/spawn/keep-alive.ts'
import type { TaskActor } from '../../src/task/task-actor.ts'
import type { TaskProcess } from '../../src/task/task-process.ts'
import { TaskReading } from '../../src/task/task-reading.ts'
import { fakeTask } from '../support/fake-task.ts'
import { IndexedOutput } from '../support/indexed-output.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

/** A task with two logs, of which the test says what it uses. */
class ReadTask {
  readonly asked: Call[] = []
  readonly output = new IndexedOutput(temporaryDirectory('reading'), 1)
  readonly samples: Partial<Usage>[] = []
  watchers = 0
  refused: HoldfastError | null = null
  readonly actor = {
    live: () => ({ getSnapshot: () => ({ status: 'done' }) }),
    onEnd: () => () => {},
  } as unknown as TaskActor
  readonly process: TaskProcess

  constructor() {
    const { request } = fakeTask().file.spec
    this.process = {
      spec: { request },
      log: (stream: 'stdout' | 'stderr') => ({ base: this.output.dir, path: stream }),
      usage: {
        sample: async () => this.samples.shift() ?? assert.fail('sampled too often'),
        watch: () => {
          this.watchers++
          return () => {
            this.watchers--
          }
        },
      },
    } as unknown as TaskProcess
  }

  requireProcess(): TaskProcess {
    return this.process
  }

  allow(call: Call): boolean {
    this.asked.push(call)
    if (this.refused !== null) throw this.refused
    return true
  }
}

const sample = (at: number, cpuMs: number): Partial<Usage> => ({
  at: new Date(at),
  cpuMs,
  cpuPercent: null,
})

describe('what one executor reads of its task', () => {
  let task: ReadTask
  let reading: TaskReading
  beforeEach(() => {
    task = new ReadTask()
    reading = new TaskReading({ ...fakeTask().services, keepAlive: new KeepAlive() }, () => task)
  })
  afterEach(() => removeTemporary(task.output.dir))

  async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
    const chunks: Uint8Array[] = []
    for await (const chunk of stream) chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }

  describe('of what it uses', () => {
    it('has the share of a processor between two samples of its own', async () => {
      task.samples.push(sample(0, 0), sample(1000, 500))
      assert.equal((await reading.usage()).cpuPercent, null)
      assert.equal((await reading.usage()).cpuPercent, 50)
    })

    it('has no share that another executor’s sample would be needed for', async () => {
      task.samples.push(sample(0, 0), sample(1000, 500))
      await reading.usage()
      const other = new TaskReading(fakeTask().services, () => task)
      assert.equal((await other.usage()).cpuPercent, null)
    })

    it('is refused when the machine says so, before anything is looked at', async () => {
      task.refused = new HoldfastError('INVALID_STATE', 'no')
      await assert.rejects(reading.usage(), task.refused)
      assert.deepEqual(task.asked, ['usage'])
    })

    it('is watched as long as somebody subscribes', async () => {
      const samples = reading.usage$(NEVER)
      assert.equal(task.watchers, 0)
      const subscriptions = [samples.subscribe(), samples.subscribe()]
      assert.equal(task.watchers, 2)
      for (const one of subscriptions) one.unsubscribe()
      assert.equal(task.watchers, 0)
      await firstValueFrom(reading.usage$(of(sample(0, 0) as Usage)))
      assert.equal(task.watchers, 0)
    })
  })

  describe('of what it has written', () => {
    it('is each of its two logs', async () => {
      task.output.write('stdout', 'out')
      task.output.write('stderr', 'err')
      assert.equal(await textOf(reading.logs$('stdout', {})), 'out')
      assert.equal(await textOf(reading.logs$('stderr', {})), 'err')
      assert.deepEqual(task.asked, ['logs$', 'logs$'])
    })

    it('is the last lines of one, and none', async () => {
      task.output.write('stdout', 'one\ntwo\nthree\n')
      assert.equal(await textOf(reading.logs$('stdout', { tail: 2 })), 'two\nthree\n')
      assert.equal(await textOf(reading.logs$('stdout', { tail: 0 })), '')
      assert.equal(await textOf(reading.logs$('stdout', { fromStart: false })), '')
    })

    for (const [call, work] of [
      ['logs$', () => reading.logs$('stdout', {})],
      ['output$', () => reading.output$({})],
    ] as const)
      it(`is refused by ${call}() at once when the machine says so`, () => {
        task.refused = new HoldfastError('INVALID_STATE', 'no')
        assert.throws(work, task.refused)
        assert.deepEqual(task.asked, [call])
      })

    it('is refused by egress$ when somebody reads, not before', async () => {
      task.refused = new HoldfastError('INVALID_STATE', 'no')
      const stream = reading.egress$()
      assert.deepEqual(task.asked, [])
      await assert.rejects(firstValueFrom(stream), task.refused)
      assert.deepEqual(task.asked, ['egress$'])
    })

    it('takes no other stream and no other options, whatever the machine says', () => {
      for (const work of [
        () => reading.logs$('stdin' as 'stdout', {}),
        () => reading.logs$('stdout', { tail: -1 }),
        () => reading.logs$('stdout', { follow: 'yes' } as unknown as LogOptions),
        () => reading.output$({ tail: 1.5 }),
        () => reading.output$({ only: 'both' } as unknown as LogOptions),
      ])
        assert.throws(work, { code: 'INVALID_ARGUMENT' })
      assert.deepEqual(task.asked, [])
    })
  })
})
