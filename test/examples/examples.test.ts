import { strict as assert } from 'node:assert'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
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
})

/** What it prints. Rejects unless it exits 0. */
async function example(name: string): Promise<string> {
  const program = fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url))
  const env = { ...process.env, HOLDFAST_STATE_DIR: temporaryDirectory('examples') }
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program], { env })
  return stdout
}
