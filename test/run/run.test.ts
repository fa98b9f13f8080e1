import { strict as assert } from 'node:assert'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { run as runByDefault, type RunOptions, type RunningTask, Supervisor } from '../../src/index.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { withVariable } from '../support/variable.ts'

describe('run()', function () {
  this.timeout(120_000)

  let stateDir: string
  let supervisor: Supervisor
  const run = (name: string, args?: readonly string[], options?: RunOptions): RunningTask =>
    supervisor.run(name, args, options)
  const sh = (script: string, options?: RunOptions): RunningTask => run('sh', ['-c', script], options)
  const recorded = (): string[] => {
    try {
      return readdirSync(join(stateDir, 'tasks'))
    } catch {
      return []
    }
  }

  before(function () {
    requires(this, 'linux', 'native')
  })
  beforeEach(() => {
    stateDir = temporaryDirectory('run')
    supervisor = new Supervisor({ stateDir })
  })
  afterEach(async () => {
    for (const task of supervisor.tasks.values()) await task.destroy()
    await supervisor.close()
    removeTemporary(stateDir)
  })

  it('one call: the result, what was written to each stream, and both in order; nothing is left', async () => {
    const result = await sh('echo one; sleep 0.05; echo two >&2; sleep 0.05; echo three; exit 3')
    assert.equal(result.stdout, 'one\nthree\n')
    assert.equal(result.stderr, 'two\n')
    assert.equal(result.output, 'one\ntwo\nthree\n')
    assert.deepEqual(
      [result.exitCode, result.cause, result.successful, result.truncated],
      [3, 'exited', false, false],
    )
    assert.deepEqual(recorded(), [])
    assert.deepEqual(readdirSync(join(stateDir, 'allocs')), [])
  })

  it('the arguments reach the program as they are, and options are fields of its command', async () => {
    const { stdout } = await run('printf', ['%s|', 'a b', '$HOME', ''], { env: { LANG: 'C' }, cwd: '/' })
    assert.equal(stdout, 'a b|$HOME||')
    assert.equal((await sh('echo $LANG; pwd', { env: { LANG: 'C' }, cwd: '/usr' })).stdout, 'C\n/usr\n')
  })

  it('a program that fails, or is killed, is a result; a start that fails rejects, and leaves nothing', async () => {
    assert.equal((await sh('kill -9 $$')).signal, 'SIGKILL')
    await assert.rejects(run('no-program-of-this-name'), { code: 'START_FAILED', stage: 'exec' })
    await assert.rejects(run('true', [], { limits: { pids: 0 } }), {
      code: 'INVALID_ARGUMENT',
      message: /pids/,
    })
    assert.deepEqual(recorded(), [])
  })

  it('input is text, bytes or a stream, also an empty one', async () => {
    assert.equal((await run('cat', [], { input: 'héllo' })).stdout, 'héllo')
    assert.equal((await run('wc', ['-c'], { input: Buffer.alloc(300_000) })).stdout.trim(), '300000')
    assert.equal((await run('cat', [], { input: Readable.from(['a', 'b']) })).stdout, 'ab')
    assert.equal((await run('cat', [], { input: '' })).stdout, '')
  })

  it('an input that fails half way is no whole one: the program is stopped, and the result says why', async () => {
    const input = new Readable({ read() {} })
    input.push('half')
    const task = run('sh', ['-c', 'head -c 4; cat; echo whole'], { input })
    task.stdout.once('data', () => input.destroy(new Error('the sender is gone')))
    const { stdout, successful, error } = await task
    assert.deepEqual([stdout, successful, error?.stage], ['half', false, 'stdin'])
    assert.match(error?.message ?? '', /the sender is gone/)
  })

  it('lines come while it runs, of both streams, with their times', async () => {
    const task = sh('echo first; echo second >&2; read answer; echo got $answer', {
      input: Readable.from(later('yes\n', 300)),
    })
    const seen: string[] = []
    for await (const { stream, line, at } of task) {
      assert.ok(at instanceof Date)
      if (seen.length === 0) assert.equal(task.task.state, 'running', 'it has not ended yet')
      seen.push(`${stream} ${line}`)
    }
    assert.deepEqual(seen.sort(), ['stderr second', 'stdout first', 'stdout got yes'])
    assert.equal((await task).exitCode, 0)
  })

  it('who stops reading lines leaves the task alone; who comes when it is over gets what was collected', async () => {
    const task = sh('echo one; echo two; sleep 0.2; exit 5')
    for await (const { line } of task) {
      assert.equal(line, 'one')
      break
    }
    assert.equal((await task).exitCode, 5)
    const lines: string[] = []
    for await (const { line } of task) lines.push(line)
    assert.deepEqual(lines, ['one', 'two'])
    assert.equal(Buffer.concat(await task.stdout.toArray()).toString(), 'one\ntwo\n')
  })

  it('its streams are Readables at the reader’s own pace: a slow reader misses nothing, and the result waits for it', async () => {
    const task = sh('yes 0123456789 | head -c 3000000; echo end >&2', { maxOutputBytes: 1000 })
    const { stdout } = task
    let bytes = 0
    let resolved = false
    const settled = task.then(() => {
      resolved = true
    })
    for await (const part of stdout) {
      assert.equal(resolved, false)
      bytes += (part as Buffer).length
      await sleep(1)
    }
    assert.equal(bytes, 3_000_000)
    await settled
    const result = await task
    assert.deepEqual([result.stdout.length, result.stderr, result.truncated], [1000, 'end\n', true])
  })

  it('aborted before the start: rejects with the reason, and nothing has run', async () => {
    const reason = new Error('not needed')
    await assert.rejects(sh('echo ran', { signal: AbortSignal.abort(reason) }), reason)
    assert.deepEqual(recorded(), [])
  })

  it('aborted while it runs: it is stopped as shutdown() stops it, and that is its result', async () => {
    const controller = new AbortController()
    const task = sh('trap "echo bye; exit 7" INT; echo ready; while :; do sleep 0.05; done', {
      signal: controller.signal,
      shutdown: { signal: 'SIGINT', graceMs: 20_000 },
    })
    for await (const { line } of task) if (line === 'ready') controller.abort()
    const { exitCode, cause, stdout } = await task
    assert.deepEqual([exitCode, cause, stdout], [7, 'shutdown', 'ready\nbye\n'])
  })

  it('keep: true leaves it to be looked at, and to be destroyed', async () => {
    const task = sh('echo kept', { keep: true })
    await task
    assert.deepEqual(recorded(), [task.task.key])
    await task.task.destroy()
    assert.deepEqual(recorded(), [])
  })

  it('await using: it is destroyed at the end of its block, also while it runs', async () => {
    const task = run('sleep', ['600'])
    await task[Symbol.asyncDispose]()
    assert.deepEqual(recorded(), [])
  })

  it('limits are the task’s, and its rows say so', async () => {
    const task = sh('true', { limits: { wallTimeMs: 50_000 }, keep: true })
    await task
    assert.ok(
      task.task.enforcement.some(({ name, status }) => name === 'wallTimeMs' && status === 'enforced'),
    )
    assert.equal((await run('sleep', ['600'], { limits: { wallTimeMs: 100 } })).cause, 'timeout')
  })

  it('untrusted: no network, bounded, strict', async function () {
    requires(this, 'root', 'disk')
    const task = sh(
      'ulimit -n; stat -f -c %T /local; stat -f -c %b /local | awk "{ print (\\$1 <= 262144) }"',
      {
        untrusted: true,
        keep: true,
      },
    )
    assert.equal((await task).stdout, '1024\next2/ext3\n1\n')
    assert.ok(task.task.enforcement.some(({ name, requested }) => name === 'network' && requested === 'none'))
    const disk = task.task.enforcement.find(({ name }) => name === 'diskBytes')
    assert.deepEqual([disk?.status, disk?.requested], ['enforced', `${2 ** 30}`])
  })

  it('bad options are refused by name, without showing input', async () => {
    for (const [name, options] of Object.entries({
      signal: { signal: {} },
      input: { input: 5 },
      maxOutputBytes: { maxOutputBytes: -1 },
      keep: { keep: 'yes' },
      untrusted: { untrusted: 1 },
    }))
      await assert.rejects(async () => run('true', [], options as never), {
        code: 'INVALID_ARGUMENT',
        message: new RegExp(`^run: options.${name}: got .*, takes `),
      })
    await assert.rejects(async () => run('true', 'x' as never), { message: /^run: args: got "x"/ })
    await assert.rejects(async () => run('cat', [], { input: 'a', stdin: '/etc/hostname' }), {
      message: /input cannot go with options.stdin/,
    })
    await assert.rejects(async () => run('cat', [], { colour: 'red' } as never), {
      code: 'INVALID_ARGUMENT',
      message: /colour/,
    })
    assert.deepEqual(recorded(), [])
  })

  it('a failed start that only the reader of its lines hears of ends no program', async () => {
    const task = run('no-program-of-this-name')
    await assert.rejects(
      async () => {
        for await (const _ of task);
      },
      { stage: 'exec' },
    )
  })

  it('of the package runs under the default supervisor', async () => {
    await withVariable('HOLDFAST_STATE_DIR', stateDir, async () => {
      assert.equal((await runByDefault('echo', ['hi'])).stdout, 'hi\n')
    })
  })
})

async function* later(text: string, milliseconds: number): AsyncGenerator<string> {
  await sleep(milliseconds)
  yield text
}
