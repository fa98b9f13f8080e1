import { strict as assert } from 'node:assert'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isUp, sample } from '../../src/cli/samples.ts'
import type * as lending from '../../src/cli/with-supervisor.ts'
import { widthOf } from '../../src/cli/output/width.ts'
import { HoldfastError, type Supervisor } from '../../src/index.ts'
import { CliBench } from '../support/cli-bench.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('what a run says besides what its task does', function () {
  this.timeout(120_000)

  let bench: CliBench
  beforeEach(() => {
    bench = new CliBench()
  })
  afterEach(() => bench.dispose())

  const terminal = { columns: 40, env: { TERM: 'xterm', NO_COLOR: undefined, FORCE_COLOR: undefined } }
  const basic = (...words: readonly string[]): string[] => ['run', '--basic', ...words]
  const tasks = (): string[] => readdirSync(join(bench.stateDir, 'tasks'))

  it('on a terminal is a line below it, no wider than that, cleared before all else and at the end', async () => {
    const name = '名前'.repeat(20)
    const script = ['sh', '-c', 'echo one; sleep 0.1; echo two; sleep 0.1']
    const { code, stdout, stderr } = await bench.say(basic('--name', name, '--', ...script), terminal)
    assert.deepEqual([code, stdout], [0, 'one\ntwo\n'])
    const drawn = [...stderr.matchAll(/\r\x1b\[K\x1b\[2m(.*?)\x1b\[22m/g)].map(([, text]) => text ?? '')
    assert.ok(drawn.length > 0)
    for (const text of drawn) assert.ok(text.startsWith('名前') && widthOf(text) < 40, text)
    assert.match(stderr, /\r\x1b\[K\x1b\[32mholdfast:\x1b\[39m \x1b\[1m(名前)+\x1b\[22m .*exited with code 0/)
  })

  for (const [what, flags, caller] of [
    ['--quiet', ['-q'], terminal],
    ['--json', ['--json'], terminal],
    ['a terminal that is dumb', [], { ...terminal, env: { ...terminal.env, TERM: 'dumb' } }],
    ['no terminal', [], {}],
  ] as const)
    it(`draws no line for ${what}`, async () => {
      const { code, stderr } = await bench.say(basic(...flags, '--', 'sh', '-c', 'sleep 0.1'), caller)
      assert.equal(code, 0)
      assert.ok(!stderr.includes('\r'), JSON.stringify(stderr))
      assert.equal(stderr === '', flags.length > 0)
    })

  it('--detach says the key alone, or one document, and what could not be enforced on standard error', async () => {
    const { code, stdout, stderr } = await bench.say(basic('-d', '--pids', '5', '--', 'sleep', '1000'))
    assert.equal(code, 0)
    assert.deepEqual(stdout, `${tasks()[0]}\n`)
    assert.match(
      stderr,
      /^holdfast: this host cannot enforce all that was asked for\n {2}skipped {3}pids 5: /,
    )
    const quiet = await bench.say(basic('-d', '-q', '--pids', '5', '--', 'sleep', '1000'))
    assert.deepEqual([quiet.code, quiet.stderr], [0, ''])
    const document = await bench.say(
      basic('-d', '--json', '--name', 'job', '--pids', '5', '--', 'sleep', '1000'),
    )
    assert.deepEqual([document.code, document.stderr], [0, ''])
    const { task, id, state, enforcement, ...rest } = JSON.parse(document.stdout)
    assert.deepEqual([task.name, state, rest], ['job', 'running', {}])
    assert.equal(id, `holdfast:1:${task.key}:${bench.stateDir}`)
    assert.ok(
      enforcement.some(({ name, status }: Record<string, string>) => name === 'pids' && status === 'skipped'),
    )
  })

  it('--rm leaves nothing, whatever else is asked for, and the document tells of what was', async () => {
    const path = join(bench.stateDir, 'result.json')
    const words = basic('--rm', '--json', '--result', path, '--name', 'job', '--', 'sh', '-c', 'exit 5')
    const { code, stdout, stderr } = await bench.say(words)
    assert.deepEqual([code, stderr, tasks()], [5, '', []])
    const document = JSON.parse(stdout)
    assert.deepEqual([document.task.name, document.exitCode], ['job', 5])
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), document)
  })

  it('a program that is not there leaves nothing, and tells --result as well', async () => {
    const path = join(bench.stateDir, 'result.json')
    const { code, stdout, stderr } = await bench.say(basic('--result', path, '--', '/no/such/program'))
    assert.deepEqual([code, stdout], [127, ''])
    assert.match(stderr, /^holdfast: .*\/no\/such\/program.*ENOENT\n {2}hint: /)
    assert.deepEqual([JSON.parse(readFileSync(path, 'utf8')).error.errno, tasks()], ['ENOENT', []])
  })

  it('exec removes its session, or keeps it, and adds variables to those of the task', async () => {
    const key = await bench.detached('web', ['sleep', '1000'], ['-e', 'A=task', '-e', 'B=task'])
    const script = ['sh', '-c', 'echo $A $B; exit 6']
    const gone = await bench.say(['exec', '-q', '-e', 'B=session', key, '--', ...script])
    assert.deepEqual(gone, { code: 6, stdout: 'task session\n', stderr: '' })
    assert.deepEqual(tasks(), [key])
    const kept = await bench.say(['exec', '--keep', key, ...script])
    assert.deepEqual([kept.code, kept.stdout, tasks().length], [6, 'task task\n', 2])
    assert.match(kept.stderr, /^holdfast: web\.sh exited with code 6 after /)
  })

  it('ps tells of a task what is known of it, and filters by all that it can', async () => {
    const [web, job] = [
      await bench.detached('web', ['sleep', '1000'], ['--label', 'app=shop']),
      await bench.ended('job', ['sh', '-c', 'exit 4'], ['--label', 'app=shop', '--label', 'tier=']),
    ]
    const { tasks: rows } = JSON.parse((await bench.say(['ps', '-a', '--json'])).stdout)
    const [up, over] = rows
    assert.deepEqual(
      [
        up.key,
        up.name,
        up.state,
        up.exitedAt,
        up.cause,
        up.exitCode,
        up.signal,
        up.labels,
        up.command.slice(-1),
      ],
      [web, 'web', 'running', null, null, null, null, { app: 'shop' }, ['1000']],
    )
    assert.ok(existsSync(`/proc/${up.pid}`) || process.platform !== 'linux')
    assert.deepEqual(
      [over.key, over.pid, over.cause, over.exitCode, over.labels],
      [job, null, 'exited', 4, { app: 'shop', tier: '' }],
    )
    assert.ok(Date.parse(over.exitedAt) >= Date.parse(over.startedAt))
    for (const [flags, keys] of [
      [['label=app'], [web]],
      [['state=exited'], [job]],
      [
        ['label=app=shop', 'state=exited', 'state=running'],
        [web, job],
      ],
      [['label=tier', 'state=exited'], [job]],
      [['name=job'], []],
    ] as const) {
      const words = flags.flatMap(flag => ['--filter', flag])
      const { stdout } = await bench.say(['ps', '-q', ...words])
      assert.equal(stdout, keys.map(key => `${key}\n`).join(''), flags.join())
    }
  })

  it('logs of both flags are both streams, each where it belongs; of one with times, its lines alone', async () => {
    const key = await bench.ended('job', ['sh', '-c', 'echo out; echo err >&2'])
    const both = await bench.say(['logs', '--stdout', '--stderr', key])
    assert.deepEqual(both, { code: 0, stdout: 'out\n', stderr: 'err\n' })
    const timed = await bench.say(['logs', '--stderr', '--timestamps', key])
    assert.match(timed.stdout, /^\d{4}-\d\d-\d\dT[\d:.]+Z err\n$/)
    assert.equal(timed.stderr, '')
    assert.deepEqual(await bench.say(['logs', '--tail', '0', key]), { code: 0, stdout: '', stderr: '' })
  })

  it('rm of one task by several words removes it once', async () => {
    const key = await bench.ended('job', ['true'])
    assert.deepEqual(await bench.say(['rm', key, 'job', key]), { code: 0, stdout: `${key}\n`, stderr: '' })
  })
})

describe('samples of tasks', () => {
  const found = (state: string, usage: () => Promise<unknown>) =>
    ({ key: 'mkey', name: 'web', task: { state, usage } }) as unknown as Parameters<typeof sample>[0]

  it('are of tasks that are up', () => {
    const states = ['configured', 'limited', 'running', 'stopping', 'exited']
    assert.deepEqual(states.filter(isUp), ['running', 'stopping'])
  })

  it('have the task beside what it uses', async () => {
    const taken = await sample(found('running', () => Promise.resolve({ pids: 1 })))
    assert.deepEqual(taken, { task: { key: 'mkey', name: 'web' }, pids: 1 })
  })

  it('are none of a task that has ended meanwhile; of one that runs, what failed is told', async () => {
    const error = new HoldfastError('INVALID_STATE', 'no')
    assert.equal(await sample(found('exited', () => Promise.reject(error))), null)
    await assert.rejects(sample(found('running', () => Promise.reject(error))), error)
  })
})

describe('a supervisor that is lent', () => {
  let withSupervisor: typeof lending.withSupervisor
  before(async () => {
    ;({ withSupervisor } = await import('../../src/cli/with-supervisor.ts'))
  })

  it('is closed at the end, whether it went well or not, and its directory is the one that was named', async () => {
    const stateDir = temporaryDirectory('lent')
    const lent: Supervisor[] = []
    const use = async (supervisor: Supervisor): Promise<number> => lent.push(supervisor)
    assert.equal(await withSupervisor({ stateDir }, use), 1)
    const error = new Error('no')
    const fails = (supervisor: Supervisor) => use(supervisor).then(() => Promise.reject(error))
    await assert.rejects(withSupervisor({ stateDir }, fails), error)
    for (const supervisor of lent) {
      assert.equal(supervisor.stateDir, stateDir)
      await assert.rejects(supervisor.openAll(), { code: 'INVALID_STATE' })
    }
    removeTemporary(stateDir)
  })

  it('is none where its directory cannot be one: that is told by its flag', async () => {
    await assert.rejects(
      withSupervisor({ stateDir: '' }, () => assert.fail('it was lent')),
      { message: /^--state-dir: got "", takes/ },
    )
  })
})
