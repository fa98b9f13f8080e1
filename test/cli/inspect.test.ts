import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { destroyAll, holdfast, start } from './program.ts'

describe('holdfast inspect', function () {
  // Each call is a whole program: seconds, on a machine that is busy with other tests.
  this.timeout(180_000)
  let stateDir: string

  before(function () {
    requires(this, 'page')
  })
  beforeEach(() => {
    stateDir = temporaryDirectory('cli')
  })
  afterEach(async () => {
    await destroyAll(stateDir)
    removeTemporary(stateDir)
  })

  it('serves until it is interrupted, shows what others start, and leaves the tasks alone', async () => {
    const page = start(stateDir, ['inspect', '--json'], { HOLDFAST_METRICS_TOKEN: 'prometheus-has-this' })
    await page.printed('}')
    const key = (await holdfast(stateDir, 'run', '--basic', '--detach', '--', 'sleep', '1000')).stdout.trim()
    const metricsOf = async (): Promise<string> => {
      const { metrics } = JSON.parse(page.seen()) as { metrics: string }
      const headers = { Authorization: 'Bearer prometheus-has-this' }
      return (await fetch(metrics, { headers })).text()
    }
    while (!/^holdfast_tasks\{state="running"\} 1$/m.test(await metricsOf())) await sleep(200)
    page.child.kill('SIGINT')
    const { code, stdout } = await page.ended
    assert.equal(code, 0)
    const { url, metrics } = JSON.parse(stdout) as { url: string; metrics: string }
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{43}$/)
    assert.match(metrics, /^http:\/\/127\.0\.0\.1:\d+\/metrics$/)
    assert.match((await holdfast(stateDir, 'ps')).stdout, new RegExp(`^${key} .* running`, 'm'))
  })

  it('refuses a port that is none, and an address that is not loopback', async () => {
    for (const [options, message] of [
      [['--port', '70000'], /--port: got/],
      [['--host', '0.0.0.0'], /host: got "0\.0\.0\.0", takes a loopback address/],
    ] as const) {
      const { code, stderr } = await holdfast(stateDir, 'inspect', ...options)
      assert.equal(code, 1)
      assert.match(stderr, message)
    }
  })
})
