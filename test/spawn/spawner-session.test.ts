import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { PassThrough, type TransformCallback } from 'node:stream'
import type { HoldfastError } from '../../src/errors.ts'
import { KeepAlive } from '../../src/spawn/keep-alive.ts'
import { identify } from '../../src/spawn/process-table.ts'
import type { ScopedStart } from '../../src/spawn/scope.ts'
import { LaunchFailed, SpawnerDied } from '../../src/spawn/spawner.ts'
import type { SpawnerProcess } from '../../src/spawn/spawner-process.ts'
import { SpawnerSession } from '../../src/spawn/spawner-session.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { minimalSpec } from '../support/launch-spec.ts'

const ready = 'ready 0.1.0 {}'
const started = (id: number) => `started ${id} 100 5000 102 5001 1800000000123`

/** An end of a pipe, as a socket is one. */
class Pipe extends PassThrough {
  /** A pipe holds a copy: who has written may wipe what it wrote. */
  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    done(null, Buffer.from(chunk))
  }

  ref(): void {}
  unref(): void {}
}

/** A spawner that says what it is told to say. */
class FakeSpawner extends EventEmitter {
  pid: number | undefined = process.pid
  exitCode: number | null = null
  readonly stdin = new Pipe()
  readonly stdout = new Pipe()
  readonly stderr = new Pipe()
  readonly signals: string[] = []
  isReferenced = true

  ref(): void {
    this.isReferenced = true
  }

  unref(): void {
    this.isReferenced = false
  }

  kill(signal: string): boolean {
    this.signals.push(signal)
    return true
  }

  /** As if it were read from the pipe this moment. */
  say(...lines: readonly string[]): void {
    this.stdout.emit('data', Buffer.from(lines.map(line => `${line}\n`).join('')))
  }

  complain(text: string): void {
    this.stderr.emit('data', Buffer.from(text))
  }

  end(exitCode: number | null = null): void {
    this.exitCode = exitCode
    this.emit('close')
  }

  /** The first words of the requests so far. */
  get asked(): string[] {
    const bytes = this.stdin.read() as Buffer | null
    const words: string[] = []
    for (let at = 0; bytes !== null && at < bytes.length; at += 4 + bytes.readUInt32LE(at))
      words.push(
        bytes
          .subarray(at + 4)
          .toString()
          .split('\0', 2)
          .join(' '),
      )
    return words
  }
}

describe('a session of the spawner', () => {
  let spawner: FakeSpawner
  beforeEach(() => (spawner = new FakeSpawner()))

  const scoped: ScopedStart = { command: ['systemd-run'], env: {}, verify: () => ({ unit: 'u', path: null }) }
  const open = (start: ScopedStart | null = null, keepAlive = new KeepAlive()) =>
    new SpawnerSession(spawner as unknown as SpawnerProcess, keepAlive, start)
  const failure = async (promise: Promise<unknown>): Promise<Error> =>
    promise.then(
      () => assert.fail('it was taken'),
      (error: unknown) => error as Error,
    )

  it('numbers requests, and gives each its own answer, in whatever order they come', async () => {
    const session = open()
    const [first, second] = [session.launch(minimalSpec), session.launch(minimalSpec)]
    spawner.say(ready, 'failed 2 exec 2 /bin/nope', started(1))
    const error = await failure(second)
    assert.ok(error instanceof LaunchFailed)
    assert.deepEqual([error.stage, error.errno, error.detail], ['exec', 2, '/bin/nope'])
    assert.ok((await first).end instanceof Promise)
    assert.deepEqual(spawner.asked, ['launch 1', 'launch 2'])
  })

  it('hears the end of a shim that is told in one breath with its start', async () => {
    const launched = open().launch(minimalSpec)
    spawner.say(started(1), 'gone 1')
    assert.equal(await (await launched).end, 'gone')
  })

  it('hears that the end of a task is recorded before its shim is gone, and in one breath with its start', async () => {
    const launched = open().launch(minimalSpec)
    spawner.say(started(1), 'ended 1')
    const { end, gone } = await launched
    assert.equal(await end, 'recorded')
    assert.equal(await Promise.race([gone, Promise.resolve(null)]), null)
    spawner.say('gone 1')
    assert.equal(await gone, 'gone')
  })

  it('says that a shim is watched no more whose task has ended, when the spawner dies first', async () => {
    const launched = open().launch(minimalSpec)
    spawner.say(started(1), 'ended 1')
    spawner.end()
    const { end, gone } = await launched
    assert.deepEqual([await end, await gone], ['recorded', 'unwatched'])
  })

  it('says of a shim that died before it answered that it did', async () => {
    const launched = open().launch(minimalSpec)
    spawner.say('gone 1')
    const error = await failure(launched)
    assert.ok(error instanceof SpawnerDied)
    assert.equal(error.message, 'the shim died before it could answer')
  })

  it('takes no notice of lines that are none of the protocol, nor of answers to questions that nobody asked', async () => {
    const launched = open().launch(minimalSpec)
    spawner.say('hello', 'gone 77', 'failed 78 exec 2', started(1))
    assert.ok(await launched)
  })

  it('ends what is asked and what is watched when it dies, with its last words', async () => {
    const session = open()
    const watched = session.launch(minimalSpec)
    spawner.say(started(1))
    const asked = session.launch(minimalSpec)
    spawner.complain('out of luck\n')
    spawner.end()
    const error = await failure(asked)
    assert.ok(error instanceof SpawnerDied)
    assert.equal(error.message, 'the spawner died: out of luck')
    assert.equal(await (await watched).end, 'unwatched')
    assert.deepEqual([session.over, session.pid], [true, null])
  })

  it('keeps the last 2000 characters of what it complains of', async () => {
    const launched = open().launch(minimalSpec)
    spawner.complain('x'.repeat(3000))
    spawner.complain('the end')
    spawner.end()
    const { message } = await failure(launched)
    assert.ok(message.endsWith('the end'))
    assert.equal(message.length, 'the spawner died: '.length + 2000)
  })

  it('survives a write to one that is dead: the end of its output says the same, in order', async () => {
    const launched = open().launch(minimalSpec)
    spawner.stdin.emit('error', Object.assign(new Error('EPIPE'), { code: 'EPIPE' }))
    spawner.end()
    assert.ok((await failure(launched)) instanceof SpawnerDied)
  })

  describe('that cannot be started', () => {
    const refused = async (code: string, start: ScopedStart | null = null) => {
      spawner.pid = undefined
      const launched = open(start).launch(minimalSpec)
      spawner.emit('error', Object.assign(new Error(code), { code }))
      return (await failure(launched)) as HoldfastError
    }

    it('because the program cannot be executed has what gives this installation one', async () => {
      const { code, message } = await refused('ENOEXEC')
      assert.deepEqual(
        [code, message],
        ['UNSUPPORTED', 'isolation needs the native program, and it cannot be executed (ENOEXEC)'],
      )
    })

    it('because of this process has its errno', async () => {
      const { code, errno } = await refused('EAGAIN')
      assert.deepEqual([code, errno], ['START_FAILED', 'EAGAIN'])
    })

    it('because systemd-run is not there does not blame the native program', async () => {
      assert.equal((await refused('ENOENT', scoped)).code, 'START_FAILED')
    })

    it('because its loader does not find its libraries is told with the loader’s words', async () => {
      const launched = open().launch(minimalSpec)
      spawner.complain('libc.so.6: version not found')
      spawner.end(127)
      const { message } = await failure(launched)
      assert.match(message, /it does not run here: libc\.so\.6: version not found$/)
    })

    it('has run and exited with 127 is another matter', async () => {
      const launched = open().launch(minimalSpec)
      spawner.say(ready)
      spawner.end(127)
      assert.ok((await failure(launched)) instanceof SpawnerDied)
    })
  })

  describe('that is to come into a scope', () => {
    it('is ready when it says so', async () => {
      const waiting = open(scoped).ready(10_000)
      spawner.say(ready)
      assert.equal(await waiting, null)
    })

    it('tells systemd-run’s complaint, and what is known without one', async () => {
      const waiting = open(scoped).ready(10_000)
      spawner.complain('Failed to connect to bus\n')
      spawner.end(1)
      assert.equal(await waiting, 'Failed to connect to bus')
      spawner = new FakeSpawner()
      const silent = open(scoped).ready(10_000)
      spawner.end(1)
      assert.equal(await silent, 'systemd-run could not be started')
    })

    it('is killed when it takes too long, and that is why', async () => {
      const clock = new FakeClock()
      try {
        const waiting = open(scoped).ready(3000)
        clock.pass(3000)
        assert.deepEqual(spawner.signals, ['SIGKILL'])
        spawner.end()
        assert.equal(await waiting, 'systemd-run did not answer in 3 s')
      } finally {
        clock.restore()
      }
    })
  })

  it('is named once it has settled, and is nobody once it is dead', async () => {
    const session = open()
    const named = session.identity()
    spawner.say(ready)
    assert.deepEqual(await named, identify(process.pid))
    spawner.end()
    assert.equal(await session.identity(), null)
  })

  it('keeps this program running while somebody holds it, and no longer than it lives', () => {
    const keepAlive = new KeepAlive()
    open(null, keepAlive)
    assert.equal(spawner.isReferenced, false)
    const release = keepAlive.hold()
    assert.equal(spawner.isReferenced, true)
    release()
    spawner.end()
    keepAlive.hold()
    assert.equal(spawner.isReferenced, false)
  })

  describe('that hangs', () => {
    let clock: FakeClock
    beforeEach(() => (clock = new FakeClock()))
    afterEach(() => clock.restore())
    const look = () => clock.pass(2000)

    it('is asked, and killed after four looks in vain; what is asked of it fails, and says why', async () => {
      const launched = open().launch(minimalSpec)
      look()
      assert.deepEqual(spawner.asked, ['launch 1', 'alive 2'])
      for (let vain = 0; vain < 3; vain++) look()
      assert.deepEqual(spawner.signals, [])
      look()
      assert.deepEqual(spawner.signals, ['SIGKILL'])
      spawner.end()
      assert.equal((await failure(launched)).message, 'the spawner did not answer any more')
    })

    it('and whose output a stopped shim holds open is given up five seconds after the kill', async () => {
      const session = open()
      const launched = session.launch(minimalSpec)
      for (let looks = 0; looks < 5; looks++) look()
      clock.pass(5000)
      assert.ok((await failure(launched)) instanceof SpawnerDied)
      assert.deepEqual([session.over, spawner.stdout.destroyed], [true, true])
    })

    it('not, is left alone: any answer counts, and one that owes nothing is not looked after', async () => {
      const session = open()
      const launched = session.launch(minimalSpec)
      for (let looks = 0; looks < 4; looks++) look()
      spawner.say('failed 2 request 22')
      for (let looks = 0; looks < 4; looks++) look()
      assert.deepEqual(spawner.signals, [])
      spawner.say(ready, 'failed 1 exec 2')
      await failure(launched)
      for (let looks = 0; looks < 20; looks++) look()
      assert.deepEqual(spawner.signals, [])
      assert.deepEqual(spawner.asked.filter(word => word.startsWith('alive')).length, 2)
    })

    it('at its close is killed after five seconds', async () => {
      const session = open()
      spawner.say(ready)
      const closed = session.close()
      clock.pass(5000)
      assert.deepEqual(spawner.signals, ['SIGKILL'])
      spawner.end()
      await closed
      assert.equal(spawner.stdin.writableEnded, true)
    })
  })
})
