import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { PassThrough, Readable, Writable } from 'node:stream'
import type { Feed } from '../../src/spawn/feed.ts'
import { KeepAlive } from '../../src/spawn/keep-alive.ts'
import { StdinFeed } from '../../src/task/stdin-feed.ts'
import { settle } from '../support/fake-clock.ts'

/** Our end of what a task reads from. */
class Sink extends Writable {
  readonly written: string[] = []
  isReferenced = false

  constructor() {
    super({
      write: (chunk: Buffer, _, done) => {
        this.written.push(chunk.toString())
        done()
      },
    })
  }

  ref(): void {
    this.isReferenced = true
  }

  unref(): void {
    this.isReferenced = false
  }
}

class FakeFeed implements Feed {
  ended = 0
  readonly #sink: Sink | null

  constructor(sink: Sink | null) {
    this.#sink = sink
  }

  begin(): Socket | null {
    return this.#sink as unknown as Socket | null
  }

  end(): void {
    this.ended++
    this.#sink?.destroy()
  }
}

describe('a stream that a task reads from', () => {
  let sink: Sink
  let way: FakeFeed
  let keepAlive: KeepAlive
  let failures: Error[]
  beforeEach(() => {
    sink = new Sink()
    way = new FakeFeed(sink)
    keepAlive = new KeepAlive()
    failures = []
  })

  function fed(source: Readable): StdinFeed {
    const feed = new StdinFeed(way, source, keepAlive)
    feed.begin(error => failures.push(error))
    return feed
  }

  it('is read to its end, and then the task is shown one', async () => {
    fed(Readable.from([Buffer.from('one '), Buffer.from('two')]))
    await once(sink, 'finish')
    assert.deepEqual([sink.written.join(''), failures], ['one two', []])
  })

  it('is not read from before the task runs', async () => {
    const source = new PassThrough()
    source.write('early')
    const feed = new StdinFeed(way, source, keepAlive)
    await settle()
    assert.deepEqual(sink.written, [])
    feed.begin(error => failures.push(error))
    await settle()
    assert.deepEqual(sink.written, ['early'])
  })

  it('that fails half way is told of, and the task is shown no end', async () => {
    const source = new PassThrough()
    fed(source)
    source.write('half')
    await settle()
    source.destroy(new Error('the disk fails'))
    await settle()
    assert.deepEqual(
      failures.map(({ message }) => message),
      ['the disk fails'],
    )
    assert.deepEqual([sink.written, sink.writableEnded, sink.destroyed], [['half'], false, false])
  })

  it('that is closed without having come to its end has failed too', async () => {
    const source = new PassThrough()
    fed(source)
    source.destroy()
    await settle()
    assert.equal((failures[0] as NodeJS.ErrnoException | undefined)?.code, 'ERR_STREAM_PREMATURE_CLOSE')
    assert.equal(sink.writableEnded, false)
  })

  it('is let go of when the task reads no further, and that is no failure', async () => {
    const source = new PassThrough()
    fed(source)
    sink.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    await settle()
    assert.deepEqual([source.destroyed, failures], [true, []])
  })

  it('is let go of at once when the task has closed its end before anything was written', async () => {
    way = new FakeFeed(null)
    const source = new PassThrough()
    fed(source)
    await settle()
    assert.deepEqual([source.destroyed, failures], [true, []])
  })

  it('is let go of with its task, as often as one likes', async () => {
    const source = new PassThrough()
    const feed = fed(source)
    feed.end()
    feed.end()
    await settle()
    assert.deepEqual([way.ended, source.destroyed, failures], [2, true, []])
  })

  it('waits for a task that reads slowly', async () => {
    const held: (() => void)[] = []
    sink._write = (_chunk, _encoding, done) => void held.push(done)
    let given = 0
    const source = new Readable({ read: () => void source.push(Buffer.alloc(16_384, ++given)) })
    fed(source)
    await settle()
    const before = given
    await settle()
    assert.equal(given, before)
    held.shift()?.()
    for (let turn = 0; turn < 10; turn++) {
      await settle()
      held.shift()?.()
    }
    assert.ok(given > before)
    source.destroy()
  })

  it('keeps the program running only while somebody waits, and no longer than it is open', async () => {
    fed(new PassThrough())
    assert.equal(sink.isReferenced, false)
    const release = keepAlive.hold()
    assert.equal(sink.isReferenced, true)
    release()
    assert.equal(sink.isReferenced, false)
    sink.destroy()
    await once(sink, 'close')
    keepAlive.hold()
    assert.equal(sink.isReferenced, false)
  })
})
