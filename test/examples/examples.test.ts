import { strict as assert } from 'node:assert'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { requires } from '../support/requires.ts'
import { temporaryDirectory } from '../support/temporary.ts'

describe('the examples', () => {
  it('one-task prints the result and what was enforced', async () => {
    const output = await example('one-task')
    assert.match(output, /^hello from \S+\nexit code 0, signal null, cause exited\n/)
    assert.match(output, /^enforced: wallTimeMs 30000$/m)
  })

  it('run is one call, and lines while it runs', async () => {
    const lines = (await example('run')).trimEnd().split('\n')
    assert.match(lines.at(0) ?? '', /^I am \S+ exited 3$/)
    assert.deepEqual(lines.slice(1, 3).sort(), ['stderr two', 'stdout one'])
    assert.equal(lines.at(3), 'true')
  })

  it('ten-tasks tells every change of state and every result on one stream', async () => {
    const lines = (await example('ten-tasks')).trimEnd().split('\n')
    const results = lines.flatMap(line => /: exited, exit code (\d)$/.exec(line)?.[1] ?? [])
    assert.deepEqual(results.sort(), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    assert.equal(lines.filter(line => line.endsWith(': limited -> running')).length, 10)
    assert.equal(lines.filter(line => line.endsWith(': running -> exited')).length, 10)
    assert.equal(lines.at(-1), 'sum of the exit codes: 45')
  })

  it('graceful-stop asks first, then forces', async () => {
    assert.equal(await example('graceful-stop'), 'ready\nno, I stay\nsignal SIGKILL, cause forced\n')
  })

  it('sandbox answers for a model, whatever the code does', async function () {
    requires(this, 'root', 'isolation', 'linux', 'native')
    const output = await example('sandbox')
    assert.match(
      output,
      /^\[exit code 0\] 42\n\[exit code 1\] cat: .*Permission denied\n\[exit code 0\] 111\n/,
    )
    assert.match(
      output,
      /^\[exit code 0\] x{4096}\n\[more was left out\]\n\[out of time\] \n\[out of memory\] \n$/m,
    )
  })

  it('ci-runner goes on where it was killed, and no step runs twice', async () => {
    const job = join(temporaryDirectory('examples'), 'job')
    await killedAt(/^testing$/, 'ci-runner', [job])
    assert.equal(
      await example('ci-runner', [job]),
      'building\nbuild: exited, exit code 0\ntesting\nbuilt\ntest: exited, exit code 0\nall is well\nreport: exited, exit code 0\n',
    )
  })

  it('job-queue has a result for each job once, though its worker is killed', async () => {
    const home = join(temporaryDirectory('examples'), 'queue')
    for (const code of [1, 2, 3]) await example('job-queue', [home, `sleep ${code}; exit ${code}`])
    await killedAt(/^job 1: exited/, 'job-queue', [home])
    const lines = (await example('job-queue', [home])).trimEnd().split('\n')
    assert.deepEqual(lines, ['job 2: exited, exit code 2', 'job 3: exited, exit code 3'])
    assert.equal(await example('job-queue', [home]), '')
  })

  it('keep-up starts it again, later each time, and stops it with itself', async () => {
    const home = temporaryDirectory('examples')
    const loop = await killedAt(/again in 400 ms$/, 'keep-up', [home, 'sh', '-c', 'exit 3'], 'SIGTERM')
    assert.deepEqual(
      loop.lines.filter(line => line.includes('again')),
      [100, 200, 400].map(pause => `sh: exited, exit code 3; again in ${pause} ms`),
    )
    assert.equal(loop.exitCode, 0)
  })

  it('keep-up goes on with a program that is not there yet, and has the server that a killed one has left', async () => {
    const home = temporaryDirectory('examples')
    const program = join(home, 'server')
    const missing = await killedAt(/again in 100 ms$/, 'keep-up', [home, program])
    assert.equal(missing.lines.at(-1), `${program}: startFailed, exit code null; again in 100 ms`)
    const sleeper = [home, 'sleep', '1000']
    const [first] = (await killedAt(/is running$/, 'keep-up', sleeper)).lines
    const second = await killedAt(/is running$/, 'keep-up', sleeper, 'SIGTERM')
    assert.deepEqual([second.lines.at(0), second.exitCode], [first, 0])
  })

  for (const [name, most] of Object.entries({ sandbox: 25, 'ci-runner': 50, 'job-queue': 40, 'keep-up': 20 }))
    it(`${name} takes ${most} lines at most with its comments, as it did with other tools`, () => {
      const lines = readFileSync(programOf(name).at(-1) ?? '', 'utf8')
        .trimEnd()
        .split('\n')
      assert.ok(lines.length <= most, `${lines.length} lines`)
      assert.deepEqual(
        lines.filter(line => line.length > 110),
        [],
      )
    })
})

/** What it prints. Rejects unless it exits 0. */
async function example(name: string, args: readonly string[] = []): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...programOf(name), ...args], {
    env: newState(),
  })
  return stdout
}

/**
 * Runs it until it has printed such a line, and sends the signal then. What it has printed to its end, and
 * its exit code.
 */
async function killedAt(
  line: RegExp,
  name: string,
  args: readonly string[],
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<{ lines: string[]; exitCode: number | null }> {
  const child = spawn(process.execPath, [...programOf(name), ...args], {
    env: newState(),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const lines: string[] = []
  for await (const printed of createInterface({ input: child.stdout })) {
    lines.push(printed)
    if (line.test(printed)) child.kill(signal)
  }
  assert.match(lines.join('\n'), new RegExp(line.source, 'm'))
  const [exitCode] = (await exit) as [number | null]
  return { lines, exitCode }
}

function programOf(name: string): string[] {
  return ['--import', 'tsx', fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url))]
}

function newState(): NodeJS.ProcessEnv {
  return { ...process.env, HOLDFAST_STATE_DIR: temporaryDirectory('examples') }
}
