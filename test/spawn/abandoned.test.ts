import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseCommand } from '../../src/command/validate.ts'
import { platform } from '../../src/platform/index.ts'
import { nativeProgram } from '../../src/spawn/native-program.ts'
import { encodeLaunch } from '../../src/spawn/wire.ts'
import { newTaskKey } from '../../src/task/task-id.ts'
import { processesOf } from '../support/leftovers.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

const launches = 40
const rounds = 15

describe('a shim that is forked in the last moment of its spawner, with nobody left to hear of it', () => {
  before(function () {
    requires(this, 'linux', 'native')
  })

  it('starts nothing where it had left no trace by then', async function () {
    this.timeout(180_000)
    for (let round = 0; round < rounds; round++) {
      const place = temporaryDirectory('abandoned')
      const { untouched, mark } = await killSpawner(place, (4 * round) / rounds)
      while (processesOf(mark).length > 0) await sleep(5)
      for (const directory of untouched) assert.ok(!ran(directory), `${directory} came to life`)
      removeTemporary(place)
    }
  })
})

/** Where no shim had been at work when the spawner and the reader of its replies were seen dead. */
async function killSpawner(place: string, afterMs: number) {
  const mark = newTaskKey()
  const program = nativeProgram()
  assert.ok('path' in program)
  const directories = Array.from({ length: launches }, (_, index) => join(place, `task-${index}`))
  const frames = await Promise.all(directories.map((directory, index) => frame(index + 1, directory)))
  const spawner = spawn(program.path, ['spawner'], { stdio: ['pipe', 'pipe', 'ignore'], env: { MARK: mark } })
  await once(spawner.stdout, 'data')
  spawner.stdin.write(Buffer.concat(frames))
  await sleep(afterMs)
  spawner.stdout.destroy()
  spawner.kill('SIGKILL')
  await once(spawner, 'exit')
  return { untouched: directories.filter(isUntouched), mark }
}

async function frame(id: number, directory: string): Promise<Uint8Array> {
  mkdirSync(directory, { mode: 0o700 })
  const root = join(directory, '..')
  const { spec } = await platform('basic').plan(
    {
      key: newTaskKey(),
      name: 'task',
      platform: 'basic',
      command: parseCommand({
        path: '/bin/true',
        args: [],
        env: {},
        stdout: '/dev/null',
        stderr: '/dev/null',
      }),
      resources: null,
      alloc: { root, shared: root, task: root, local: root },
      strict: false,
      durable: false,
      owner: null,
      graceMs: 1000,
    },
    directory,
  )
  return encodeLaunch(id, spec)
}

function isUntouched(directory: string): boolean {
  return readdirSync(directory).every(name => name === 'alive.tmp')
}

function ran(directory: string): boolean {
  const exit = join(directory, 'exit.json')
  if (existsSync(join(directory, 'start.json'))) return true
  return existsSync(exit) && (JSON.parse(readFileSync(exit, 'utf8')) as { failure: unknown }).failure === null
}
