import { strict as assert } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { CliBench } from '../support/cli-bench.ts'
import type { Said } from '../support/command-line.ts'
import { compiled } from '../support/compiled.ts'
import { eventually } from '../support/eventually.ts'
import { requires } from '../support/requires.ts'
import { start } from './program.ts'

const forever = 'echo ready; while :; do sleep 0.05; done'

describe('a command that is signalled', function () {
  this.timeout(120_000)

  let bench: CliBench
  beforeEach(() => {
    bench = new CliBench()
  })
  afterEach(() => bench.dispose())

  const listeners = (): number[] =>
    ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGCONT', 'SIGWINCH'].map(signal => process.listenerCount(signal))
  /** Each time another of the texts has been printed, this process gets a SIGTERM. */
  const terminated = (words: readonly string[], ...texts: readonly string[]): Promise<Said> => {
    const left = [...texts]
    const heard = ({ stdout }: { readonly stdout: string }): void => {
      if (left[0] === undefined || !stdout.includes(left[0])) return
      left.shift()
      process.emit('SIGTERM')
    }
    return bench.say(words, { heard })
  }

  it('run: SIGTERM asks the task, and another one neither asks again nor kills; control: one that obeys at once', async () => {
    const before = listeners()
    const patient = `trap 'echo asked; sleep 0.3; exit 7' TERM; ${forever}`
    const twice = await terminated(['run', '--basic', '--', 'sh', '-c', patient], 'ready', 'asked')
    assert.deepEqual([twice.code, twice.stdout], [7, 'ready\nasked\n'])
    assert.match(twice.stderr, /sh exited with code 7 \(stopped as asked\)/)
    const obeyed = await terminated(['run', '--basic', '-q', '--', 'sh', '-c', forever], 'ready')
    assert.deepEqual([obeyed.code, obeyed.stdout], [143, 'ready\n'])
    assert.deepEqual(listeners(), before)
  })

  it('run: a SIGTERM that comes while the task is being prepared stops it when it has come', async () => {
    const before = process.listenerCount('SIGTERM')
    const ended = bench.say(['run', '--basic', '-q', '--', 'sleep', '1000'])
    await eventually(() => assert.ok(process.listenerCount('SIGTERM') > before))
    process.emit('SIGTERM')
    assert.equal((await ended).code, 143)
  })

  it('exec: SIGTERM ends what it has started, and leaves the task alone', async () => {
    const key = await bench.detached('web', ['sleep', '1000'])
    const ended = await terminated(['exec', '-q', key, '--', 'sh', '-c', forever], 'ready')
    assert.deepEqual([ended.code, ended.stdout], [143, 'ready\n'])
    assert.equal((await bench.say(['ps', '-q'])).stdout, `${key}\n`)
  })

  it('attach: SIGTERM leaves the task, and says how to come back; --quiet says nothing', async () => {
    const before = listeners()
    const key = await bench.detached('web', ['sh', '-c', 'while :; do echo tick; sleep 0.05; done'])
    for (const [flags, said] of [
      [[], `holdfast: web goes on; back to it: holdfast attach ${key}\n`],
      [['-q'], ''],
    ] as const) {
      const left = await terminated(['attach', '--no-stdin', ...flags, key], 'tick')
      assert.deepEqual([left.code, left.stderr], [0, said])
    }
    assert.equal((await bench.say(['ps', '-q'])).stdout, `${key}\n`)
    assert.deepEqual(listeners(), before)
  })

  it('top --json ends with 0 at SIGTERM', async () => {
    const before = listeners()
    const ended = await terminated(['top', '--json'], '"tasks":[]')
    assert.deepEqual([ended.code, ended.stderr], [0, ''])
    assert.deepEqual(listeners(), before)
  })

  for (const [signal, words] of [
    ['SIGHUP', ['run', '--basic', '--name', 'web', '--', 'sh', '-c', 'echo tick; exec sleep 1000']],
    ['SIGINT', ['logs', '-f', 'web']],
    ['SIGHUP', ['attach', '--no-stdin', 'web']],
    ['SIGTERM', ['wait', 'web']],
  ] as const)
    it(`${words[0]}: ${signal} ends it alone, and the task goes on`, async () => {
      if (words[0] !== 'run')
        await bench.detached('web', ['sh', '-c', 'while :; do echo tick; sleep 0.05; done'])
      const { child, printed } = start(bench.stateDir, words)
      const closed = once(child, 'close')
      // `wait` says nothing before the end, at which this kills it or it has already gone.
      if (words[0] !== 'wait') await printed('tick')
      child.kill(signal)
      assert.deepEqual(await closed, [null, signal])
      const { tasks } = JSON.parse((await bench.say(['ps', '--json'])).stdout)
      assert.deepEqual([tasks.length, tasks[0].name, tasks[0].state], [1, 'web', 'running'])
    })
})

describe('a command whose streams are not as usual', function () {
  this.timeout(120_000)

  let bench: CliBench
  before(async function () {
    requires(this, 'linux')
    bench = new CliBench()
    await bench.detached('web', ['sleep', '1000'])
  })
  after(() => bench?.dispose())

  const through = (shell: string, ...words: readonly string[]) => {
    const line = [process.execPath, compiled('src/cli/main.ts'), '--state-dir', bench.stateDir, ...words]
    return spawnSync('/bin/sh', ['-c', `"$@" ${shell}`, 'sh', ...line], { encoding: 'utf8' })
  }

  for (const words of [['ps'], ['history', 'web'], ['completion', 'bash'], ['stop', 'nobody', '--json']])
    it(`${words.join(' ')} on a full disk exits with 125, and says so once where it can`, () => {
      const { status, stderr } = through('> /dev/full', ...words)
      assert.deepEqual(
        [status, stderr],
        [125, 'holdfast: cannot print: ENOSPC: no space left on device, write\n'],
      )
      assert.equal(through('> /dev/full 2>&1', ...words).status, 125)
    })

  it('a reader that has gone is no error, however much there is to say', () => {
    const { status, stdout, stderr } = through('| true; true', 'completion', 'zsh')
    assert.deepEqual([status, stdout, stderr], [0, '', ''])
  })

  it('closed streams are none of its business, and nothing is written into what it opens', () => {
    for (const shell of ['<&-', '>&-', '2>&-', '<&- >&- 2>&-']) {
      const { status, stderr } = through(
        shell,
        'run',
        '--basic',
        '-q',
        '--rm',
        '--',
        'sh',
        '-c',
        'echo out; exit 3',
      )
      assert.deepEqual([status, stderr], [3, ''], shell)
    }
    const interactive = through('<&-', 'run', '--basic', '-q', '--rm', '-i', '--', 'sh', '-c', 'cat; exit 4')
    assert.deepEqual([interactive.status, interactive.stdout, interactive.stderr], [4, '', ''])
  })
})
