import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { fingerprint } from '../../src/index.ts'
import { holdfast } from './program.ts'

const nowhere = '/nonexistent/state'
const commands = [
  'run',
  'ps',
  'wait',
  'stop',
  'kill',
  'rm',
  'prune',
  'logs',
  'history',
  'stats',
  'verify',
  'diff',
  'apply',
  'top',
  'exec',
  'attach',
  'update',
  'inspect',
  'graph',
  'doctor',
  'audit',
  'nomad-driver',
  'nomad-check',
  'completion',
]

describe('the help', () => {
  it('lists every command there is, and none to come', async () => {
    const { code, stdout } = await holdfast(nowhere, '--help')
    assert.equal(code, 0)
    const listed = [...stdout.matchAll(/^ {2}([a-z][a-z-]*) (?:\[|<)/gm)].map(([, name]) => name)
    assert.deepEqual(listed, [...commands, 'help'])
  })

  for (const command of commands) {
    it(`of ${command} has an example and the exit codes`, async () => {
      const { code, stdout, stderr } = await holdfast(nowhere, command, '--help')
      assert.deepEqual([code, stderr], [0, ''])
      assert.match(stdout, new RegExp(`^Usage: holdfast ${command} `))
      assert.match(stdout, new RegExp(`\nExamples?:\n {2}.*holdfast ${command}`))
      assert.match(stdout, /\nExit codes: /)
    })
  }

  it("gives the package's version", async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    assert.deepEqual(await holdfast(nowhere, '--version'), { code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('corrects a mistyped command', async () => {
    const { code, stdout, stderr } = await holdfast(nowhere, 'stpo', 'web')
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^holdfast: unknown command 'stpo'\n {2}hint: Did you mean stop\?/)
  })

  it('doctor says what this host enforces, and exits 1 when a run without options is weakened', async () => {
    const report = await fingerprint()
    const ok = report.defaultRun.weakened.length === 0
    const { code, stdout, stderr } = await holdfast(nowhere, 'doctor', '--json')
    assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify({ ok, ...report })))
    assert.deepEqual([code, stderr], [ok ? 0 : 1, ''])
    const table = await holdfast(nowhere, 'doctor')
    for (const { name } of report.rows) assert.ok(table.stdout.includes(`\n${name} `), name)
  })
})
