// The Basic contract on Windows' own Node (test/windows/run: under Wine). The tasks are scripts of node.exe:
// there is no shell that both systems have.
import { strict as assert } from 'node:assert'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type * as library from '../../src/index.ts'
import type { Executor, HoldfastError, Supervisor, SupervisorOptions } from '../../src/index.ts'

/** As it is built: a bundle of these tests has no shim beside it. */
const entry = process.env.HOLDFAST_ENTRY ?? '../../src/index.ts'
const holdfast = (await import(entry)) as typeof library

/** None: test/vm/mocha.mjs asks. */
export const mochaHooks = {}

const forever = 'setInterval(() => {}, 1000)'

describe('the basic portable executor on Windows', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'holdfast-'))
  const supervisors: Supervisor[] = []

  function another(options: SupervisorOptions = {}): Supervisor {
    const supervisor = new holdfast.Supervisor({ stateDir, ...options })
    supervisors.push(supervisor)
    return supervisor
  }

  const supervisor = another()

  function node(script: string, args: readonly string[] = [], of = supervisor): Executor {
    const task = of.executor('basic')
    holdfast.setCommand(task, process.execPath, ['-e', script, ...args])
    return task
  }

  after(async () => {
    const last = another()
    await last.openAll()
    for (const task of last.tasks.values()) await task.destroy()
    for (const one of supervisors) await one.close()
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  })

  it('reports an exit code, whole logs and that usage is unknown; destroy() leaves nothing', async () => {
    const task = node('console.log("out"); console.error("err"); process.exit(3)')
    await task.start()
    const { exitCode, signal, cause, evidence, logsComplete, usage } = await task.wait()
    assert.deepEqual(
      { exitCode, signal, cause, evidence, logsComplete, usage },
      { exitCode: 3, signal: null, cause: 'exited', evidence: 'record', logsComplete: true, usage: null },
    )
    assert.deepEqual([await text(task), await text(task, 'stderr')], ['out\n', 'err\n'])
    const { key } = task
    await task.destroy()
    for (const part of ['tasks', 'allocs']) assert.equal(existsSync(join(stateDir, part, key)), false)
  })

  it('reports exit codes of 32 bits', async () => {
    const task = node('process.exitCode = 3221225477; setTimeout(() => process.exit(3221225477), 0)')
    await task.start()
    assert.equal((await task.wait()).exitCode, 3221225477)
  })

  it('passes every argument unchanged', async () => {
    const args = ['', 'a b', '"q"', 'x\\', '%PATH%', '&|<>^', 'ünïcödé', '$HOME']
    const task = node('console.log(JSON.stringify(process.argv.slice(1)))', args)
    assert.deepEqual(JSON.parse(await outputOf(task)), args)
  })

  it('has the given environment in any case of its names, what Windows needs, and nothing of the supervisor', async () => {
    process.env.HOLDFAST_TEST_SECRET = 'of the supervisor'
    const task = node('console.log(JSON.stringify(process.env))')
    Object.assign(task.command.env, { path: 'C:\\only', ONLY: '1' })
    const env = JSON.parse(await outputOf(task)) as Record<string, string>
    delete process.env.HOLDFAST_TEST_SECRET
    assert.equal(env.HOLDFAST_TEST_SECRET, undefined)
    assert.deepEqual([env.path, env.PATH, env.ONLY], ['C:\\only', undefined, '1'])
    for (const name of ['SystemRoot', 'SystemDrive', 'windir', 'ComSpec', 'PATHEXT'])
      assert.ok(env[name], name)
    for (const name of ['TEMP', 'USERPROFILE']) assert.equal(env[name], env.HOLDFAST_TASK_DIR)
    const twice = node('')
    Object.assign(twice.command.env, { path: 'a', PATH: 'b' })
    await refused(twice.start(), { code: 'INVALID_ARGUMENT' })
  })

  it('writes to its two directories, and starts in that of the task', async () => {
    const task = node(
      'const fs = require("fs"); for (const name of ["HOLDFAST_TASK_DIR", "NOMAD_ALLOC_DIR"]) fs.writeFileSync(process.env[name] + "/note", name); console.log(process.cwd())',
    )
    const at = (await outputOf(task)).trim()
    const alloc = join(stateDir, 'allocs', task.key)
    assert.equal(at.toLowerCase(), join(alloc, 'node').toLowerCase())
    assert.equal(readFileSync(join(alloc, 'node/local/note'), 'utf8'), 'HOLDFAST_TASK_DIR')
    assert.equal(readFileSync(join(alloc, 'alloc/note'), 'utf8'), 'NOMAD_ALLOC_DIR')
  })

  it('refuses what is not there, and a batch file, naming errno and mend', async () => {
    for (const [name, errno] of [
      ['no-such-program', 'ENOENT'],
      ['C:\\no\\such.exe', 'ENOENT'],
    ] as const) {
      const task = supervisor.executor('basic')
      holdfast.setCommand(task, name, [])
      await refused(task.start(), { code: 'START_FAILED', stage: 'exec', errno })
    }
    const path = join(stateDir, 'script.bat')
    writeFileSync(path, 'exit 0\r\n')
    const batch = supervisor.executor('basic')
    holdfast.setCommand(batch, path, ['& calc.exe'])
    await refused(batch.start(), { code: 'START_FAILED', stage: 'exec', errno: 'EINVAL' })
  })

  it('finds a program by PATH and PATHEXT', async () => {
    const task = supervisor.executor('basic')
    holdfast.setCommand(task, 'hostname', [])
    assert.match(await outputOf(task), /\w/)
  })

  it('is killed by forceStop(), and by shutdown() when the grace is over', async () => {
    const forced = node(forever)
    await forced.start()
    const result = await forced.forceStop()
    assert.deepEqual([result.exitCode, result.signal, result.cause], [null, 'SIGKILL', 'forced'])
    const deaf = node(forever)
    await deaf.start()
    const { signal, cause } = await deaf.shutdown({ graceMs: 300 })
    assert.deepEqual([signal, cause], ['SIGKILL', 'forced'])
  })

  it('ends in order when its standard input does, which is what a stop is to it', async () => {
    const task = node('process.stdin.resume().on("end", () => process.exit(7))')
    task.command.stdin = new Readable({ read() {} })
    await task.start()
    const { exitCode, cause } = await task.shutdown({ graceMs: 60_000 })
    assert.deepEqual([exitCode, cause], [7, 'shutdown'])
  })

  it('reads a stream of this program to its end', async () => {
    const task = node('process.stdin.pipe(process.stdout)')
    task.command.stdin = Readable.from(Array.from({ length: 50 }, () => Buffer.alloc(1000, 'x')))
    assert.equal((await outputOf(task)).length, 50_000)
  })

  it('leaves no child of its own, killed or ended by itself', async () => {
    const parent = `const child = require('child_process').spawn(process.execPath, ['-e', '${forever}'], { stdio: 'ignore' }); console.log(child.pid);`
    for (const [rest, stop] of [
      [forever, (task: Executor) => task.forceStop()],
      ['setTimeout(() => process.exit(0), 1000)', (task: Executor) => task.wait()],
    ] as const) {
      const task = node(parent + rest)
      await task.start()
      while ((await text(task)) === '') await sleep(50)
      const child = Number(await text(task))
      await stop(task)
      assert.throws(() => process.kill(child, 0), { code: 'ESRCH' })
    }
  })

  it('is shut down at its wall time', async () => {
    const task = node(forever, [], another({ shutdown: { graceMs: 200 } }))
    await task.limit({ wallTimeMs: 500 })
    await task.start()
    assert.equal((await task.wait()).cause, 'timeout')
  })

  it('takes SIGKILL, and refuses every signal that Windows has not', async () => {
    const task = node(forever)
    await task.start()
    await refused(task.signal('SIGTERM'), { code: 'UNSUPPORTED' })
    assert.equal(task.state, 'running')
    await task.signal('SIGKILL')
    assert.deepEqual([(await task.wait()).signal, task.state], ['SIGKILL', 'exited'])
  })

  it('is taken over by its id, goes on when its supervisor closes, and is stopped by whoever took it over', async () => {
    const first = another()
    const task = node(forever, [], first)
    await task.start()
    const id = task.id()
    await first.close()
    const taken = await another().open(id)
    assert.equal(taken.state, 'running')
    assert.equal((await taken.shutdown({ graceMs: 100 })).evidence, 'record')
  })

  it("dies with a supervisor of orphans: 'kill'", async () => {
    const mother = another({ orphans: 'kill' })
    const task = node(forever, [], mother)
    await task.start()
    const end = task.wait()
    await mother.close()
    assert.equal((await end).cause, 'forced')
  })

  it('says what it cannot do in rows, and limits and isolates nothing', async () => {
    const task = node('')
    Object.assign(task.command, { umask: 0o077, nice: 5, oomScoreAdj: 10 })
    await task.limit({ memoryMB: 64 })
    await task.start()
    const rows = new Map(task.enforcement.map(({ name, status }) => [name, status]))
    assert.deepEqual(
      ['umask', 'nice', 'oomScoreAdj', 'memoryMB'].map(name => rows.get(name)),
      ['skipped', 'weakened', 'skipped', 'skipped'],
    )
    const strict = node('', [], another({ strict: true }))
    strict.command.nice = 5
    await refused(strict.start(), { code: 'ISOLATION_FAILED' })
    assert.ok(readdirSync(join(stateDir, 'tasks')).includes(task.key))
  })

  for (const what of ['users, groups and umask', 'signals other than SIGKILL', 'FIFOs as outputs'])
    it.skip(`${what}: there are none on Windows`)
})

function text(task: Executor, stream: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    task.logs$(stream).subscribe({
      next: chunk => chunks.push(chunk),
      complete: () => resolve(Buffer.concat(chunks).toString()),
      error: reject,
    })
  })
}

async function outputOf(task: Executor): Promise<string> {
  await task.start()
  await task.wait()
  return text(task)
}

async function refused(work: Promise<unknown>, expected: Partial<HoldfastError>): Promise<void> {
  const error = await work.then(
    () => assert.fail('it was not refused'),
    (reason: unknown) => reason as HoldfastError,
  )
  const { code, stage, errno } = error
  assert.deepEqual({ code, stage, errno, ...expected }, { code, stage, errno }, error.message)
}
