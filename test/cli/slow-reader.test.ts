import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { bundled } from '../support/bundled.ts'
import { statOf } from '../support/process-stat.ts'
import { requires } from '../support/requires.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

const size = 64 * 1024 * 1024
/** More than a pipe holds: its writer waits for the reader, too. */
const little = 1024 * 1024
/** Of memory, that a slow reader may cost. */
const maxBytes = 40 * 1024 * 1024

/** `holdfast logs | less`: what is not read yet waits where it is, in the log or with the task. */
describe('a reader that is slow', function () {
  this.timeout(120_000)
  let cli: string
  before(async function () {
    requires(this, 'linux', 'native')
    ;[cli = ''] = await bundled(['src/cli/main.ts'])
  })

  for (const args of [['logs'], ['logs', '--stdout'], ['logs', '--follow']])
    it(`${args.join(' ')}: costs no memory for what it has not read, and gets all of it`, () =>
      withWorkbench('basic', async bench => {
        await writer(bench, 'long', size)
        await writer(bench, 'short', little)
        const small = await read(bench, [...args, 'short'])
        const large = await read(bench, [...args, 'long'])
        assert.deepEqual([small.bytes, large.bytes], [little, size])
        assert.ok(
          large.peak - small.peak < maxBytes,
          `${large.peak} bytes of memory, ${small.peak} for a mebibyte`,
        )
      }))

  it('run: costs no memory for what it has not read, and gets all of it', () =>
    withWorkbench('basic', async bench => {
      const run = (bytes: number) =>
        read(bench, ['run', '--basic', '--quiet', '--', 'head', '-c', `${bytes}`, '/dev/zero'])
      const small = await run(little)
      const large = await run(size)
      assert.deepEqual([small.bytes, large.bytes], [little, size])
      assert.ok(
        large.peak - small.peak < maxBytes,
        `${large.peak} bytes of memory, ${small.peak} for a mebibyte`,
      )
    }))

  it('control: a program that does not wait for its reader is seen to hold all of it', async () => {
    const program = `for (let i = 0; i < 64; i++) process.stdout.write(Buffer.alloc(1 << 20, 1))`
    const { bytes, peak } = await readFrom([process.execPath, '-e', program], {})
    assert.equal(bytes, size)
    assert.ok(peak > size, `${peak} bytes`)
  })

  async function writer(bench: Workbench, name: string, bytes: number): Promise<void> {
    const task = bench.command('head', '-c', `${bytes}`, '/dev/zero')
    task.command.name = name
    task.command.logs = { maxBytes: 2 * size, maxFiles: 2 }
    await task.start()
    assert.equal((await task.wait()).exitCode, 0)
  }

  const read = ({ stateDir }: Workbench, args: readonly string[]) =>
    readFrom([process.execPath, cli, '--state-dir', stateDir, ...args], process.env)
})

/**
 * Reads nothing until the program has come to rest, then all. `peak`: the most memory that it had by then.
 */
async function readFrom([file = '', ...args]: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  // What has ended already stays for as long as nobody has read to the end.
  const exited = once(child, 'exit')
  const peak = await peakAtRest(child.pid as number)
  let bytes = 0
  for await (const chunk of child.stdout) bytes += (chunk as Buffer).length
  await exited
  return { bytes, peak }
}

/** It rests when it has neither used the processor nor read anything for a while, or has ended. */
async function peakAtRest(pid: number): Promise<number> {
  let peak = 0
  for (let same = 0, before = ''; same < 10; await sleep(50)) {
    const now = workOf(pid)
    if (now === null) break
    peak = Math.max(peak, now.peak)
    same = now.work === before ? same + 1 : 0
    before = now.work
  }
  return peak
}

/** Null: it has ended. */
function workOf(pid: number): { readonly peak: number; readonly work: string } | null {
  try {
    const [, peak] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? []
    if (peak === undefined) return null
    const [, read] = /^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1')) ?? []
    return { peak: Number(peak) * 1024, work: `${statOf(pid)?.cpuTicks} ${read}` }
  } catch {
    return null
  }
}
