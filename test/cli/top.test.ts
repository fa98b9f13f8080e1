import { strict as assert } from 'node:assert'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Executor, setCommand, Supervisor } from '../../src/index.ts'
import { output } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { destroyAll, start } from './program.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
/** What nobody holds is collected at once. */
const collecting = `data:text/javascript,setInterval(gc,20).unref()`

describe('holdfast top', function () {
  this.timeout(240_000)

  before(function () {
    requires(this, 'linux', 'native')
  })

  let dir: string
  beforeEach(() => {
    dir = temporaryDirectory('cli')
    for (const name of ['shown', 'screen']) mkdirSync(join(dir, name))
  })
  afterEach(async () => {
    for (const name of ['shown', 'screen']) await destroyAll(join(dir, name))
    removeTemporary(dir)
  })

  it('shows on a terminal what comes and goes, obeys its keys however they arrive, and leaves the terminal as it was', async () => {
    const shown = new Supervisor({ stateDir: join(dir, 'shown') })
    const screen = new Supervisor({ stateDir: join(dir, 'screen') })
    const first = await sleeper(shown, 'first')
    const { top, keys } = await startTop(screen, join(dir, 'shown'))
    await shows(top, 'first')
    for (const name of ['second', 'third']) await sleeper(shown, name)
    await shows(top, '1-3 of 3 tasks, by CPU')
    await first.destroy()
    await shows(top, '1-2 of 2 tasks, by CPU')
    // A terminal sends what is held down, or typed ahead, in one piece.
    keys.write('\x1b[B\x1b[Bxm')
    await shows(top, '1-2 of 2 tasks, by memory')
    keys.write('q')
    assert.equal((await top.wait()).exitCode, 0)
    const all = await output(top)
    assert.ok(all.startsWith('\x1b[?1049h'), 'the other screen')
    assert.ok(all.endsWith('\x1b[?1049l'), JSON.stringify(all.slice(-40)))
    await screen.close()
    await shown.close()
  })

  it('--json is a line each second until it is interrupted, also without a terminal', async () => {
    const shown = new Supervisor({ stateDir: join(dir, 'shown') })
    await sleeper(shown, 'first')
    await shown.close()
    const top = start(join(dir, 'shown'), ['top', '--json'])
    while (top.seen().split('\n').length < 4) await sleep(50)
    top.child.kill('SIGINT')
    const { code, stdout, stderr } = await top.ended
    assert.deepEqual([code, stderr], [0, ''])
    const lines = stdout.trimEnd().split('\n')
    for (const line of lines) {
      const { at, tasks } = JSON.parse(line)
      assert.ok(!Number.isNaN(Date.parse(at)))
      assert.equal(tasks[0].task.name, 'first')
    }
  })
})

async function sleeper(supervisor: Supervisor, name: string): Promise<Executor> {
  const task = supervisor.executor('basic')
  setCommand(task, '/bin/sleep', ['600'])
  task.named(name)
  await task.start()
  return task
}

/** In a terminal of its own. */
async function startTop(
  supervisor: Supervisor,
  stateDir: string,
): Promise<{ top: Executor; keys: PassThrough }> {
  const top = supervisor.executor('basic')
  const node = ['--expose-gc', '--import', 'tsx', '--import', collecting]
  setCommand(top, process.execPath, [...node, main, '--state-dir', stateDir, 'top'])
  const keys = new PassThrough()
  Object.assign(top.command, {
    cwd: process.cwd(),
    stdin: keys,
    terminal: { rows: 12, columns: 100 },
    env: { TERM: 'xterm' },
  })
  await top.start()
  return { top, keys }
}

/** Of the last frame, which begins at the top left. */
async function shows(top: Executor, text: string): Promise<void> {
  let frame = ''
  for (const begin = Date.now(); !frame.includes(text); await sleep(50)) {
    frame = (await output(top)).split('\x1b[H').at(-1) ?? ''
    assert.ok(
      top.state === 'running' && Date.now() < begin + 60_000,
      `no ${text} in ${JSON.stringify(frame)}`,
    )
  }
}
