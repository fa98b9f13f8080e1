import { strict as assert } from 'node:assert'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ControlLine, sendControl } from '../../src/spawn/control.ts'
import { KeepAlive } from '../../src/spawn/keep-alive.ts'
import { nativeProgram } from '../../src/spawn/native-program.ts'
import { NativeSpawner } from '../../src/spawn/native-spawner.ts'
import { LaunchFailed } from '../../src/spawn/spawner.ts'
import { minimalSpec } from '../support/launch-spec.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('a launch that is held in front of its program', () => {
  let above = ''
  let spawner: NativeSpawner

  beforeEach(function () {
    requires(this, 'linux', 'native')
    const native = nativeProgram()
    above = temporaryDirectory('hold')
    mkdirSync(join(above, 'task'), { mode: 0o700 })
    spawner = new NativeSpawner('path' in native ? native.path : '', new KeepAlive())
  })
  afterEach(async () => {
    await spawner.close()
    removeTemporary(above)
  })

  const dir = (): string => join(above, 'task')
  const ran = (): boolean => existsSync(join(above, 'ran'))
  const launch = (holdMs: number, held: () => void) =>
    spawner.launch(
      {
        ...minimalSpec,
        dir: dir(),
        path: '/bin/sh',
        argv: ['sh', '-c', `: >${above}/ran`],
        env: ['PATH=/usr/bin:/bin'],
        stdout: { base: null, path: '/dev/null' },
        stderr: { base: null, path: '/dev/null' },
        holdMs,
      },
      null,
      held,
    )
  /** `line`: what it is told a while after it has said that it is held; null: nothing. */
  const launched = (holdMs: number, line: ControlLine | null) =>
    launch(holdMs, () => {
      if (line !== null) setTimeout(() => sendControl(dir(), line), 200)
    })
  const failed = async (holdMs: number, line: ControlLine | null): Promise<LaunchFailed> => {
    const error: unknown = await launched(holdMs, line).then(
      () => assert.fail('it has started'),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof LaunchFailed, String(error))
    await sleep(100)
    assert.equal(ran(), false)
    return error
  }

  it('begins it when it is told so, and has read back before', async () => {
    let readBack = false
    const { end } = await launch(10_000, () => {
      readBack = existsSync(join(dir(), 'enforced.json')) && existsSync(join(dir(), 'start.json')) && !ran()
      sendControl(dir(), 'go')
    })
    await end
    assert.deepEqual([readBack, ran()], [true, true])
  })

  for (const [what, line, stage] of [
    ['is refused', 'refuse isolation less than was asked for', 'isolation'],
    ['is killed', 'kill', 'exec'],
    ['is stopped', 'stop 15 5000', 'exec'],
  ] as const)
    it(`never begins it where it ${what}`, async () => {
      const error = await failed(10_000, line)
      assert.equal(error.stage, stage, error.detail)
      assert.match(readFileSync(join(dir(), 'exit.json'), 'utf8'), /"failure":\{/)
    })

  it('never begins it where nobody tells it anything, and says so when its time is over', async () => {
    const { stage, detail } = await failed(300, null)
    assert.equal(stage, 'isolation')
    assert.match(detail, /^nobody has compared what is in force .* within 300 ms$/)
  })
})
