import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { atOnce } from './at-once.ts'
import { Supervisor, setCommand } from './library.ts'
import { oneLiners } from './one-liners.ts'
import { bubblewrap, bubblewrapArguments } from './peers/bubblewrap.ts'
import { endedWell, littleEnvironment } from './peers/child.ts'
import { crun } from './peers/crun.ts'
import { refused } from './peers/installed.ts'
import { median, ratios, type Summary, summary } from './statistics.ts'
import { timed, type Way } from './way.ts'

export type WayRow = {
  readonly name: string
  readonly base: string
  readonly ms: Summary
  /** To the base, each pair from the same round. */
  readonly ratio: Summary
}

const bare = 'child_process.spawn, true'

/**
 * What a user of a task waits for besides its start and end: its first byte, a command inside it, the command
 * line, a start after a quiet while, its removal. One at a time, every way in every round. `quick` leaves out
 * what has to wait for quiet.
 */
export async function measureWays(
  stateRoot: string,
  { rounds, quick }: { readonly rounds: number; readonly quick: boolean },
  progress: (text: string) => void,
): Promise<WayRow[]> {
  const stateDir = mkdtempSync(join(stateRoot, 'holdfast-bench-ways-'))
  const supervisor = new Supervisor({ stateDir })
  const host = supervisor.executor()
  setCommand(host, 'sleep', ['100000'])
  await host.start()
  const task = (name: string, ...args: string[]) => {
    const executor = supervisor.executor()
    setCommand(executor, name, args)
    return executor
  }
  const started = async () => {
    const one = task('/bin/true')
    await one.start()
    await one.wait()
    return one
  }
  const container = crun()
  const ways: Way[] = [
    { name: bare, base: bare, times: 10, run: () => timed(() => endedWell('/bin/true', [])) },
    { name: 'child_process.spawn, first byte', base: bare, times: 10, run: () => timed(firstByteOfBare) },
    {
      ...{ name: 'holdfast, first byte of output', base: 'child_process.spawn, first byte', times: 10 },
      async run() {
        const one = task('/bin/echo', 'x')
        const took = await timed(async () => {
          await one.start()
          for await (const _ of one.logs$('stdout')) break
        })
        await one.wait()
        await one.destroy()
        return took
      },
    },
    {
      ...{ name: 'holdfast, exec() into a running task', base: bare, times: 10 },
      async run() {
        const session = host.exec('/bin/true')
        const took = await timed(async () => {
          await session.start()
          await session.wait()
        })
        await session.destroy()
        return took
      },
    },
    {
      ...{ name: 'holdfast, start to end', base: bare, times: 10 },
      async run() {
        let one: Awaited<ReturnType<typeof started>> | undefined
        const took = await timed(async () => (one = await started()))
        await one?.destroy()
        return took
      },
    },
    {
      ...{ name: 'holdfast, destroy()', base: 'holdfast, start to end', times: 10 },
      async run() {
        const one = await started()
        return timed(() => one.destroy())
      },
    },
    ...oneLiners(supervisor),
    ...atOnce(stateRoot),
    ...commandLines(stateDir, container),
    ...(quick ? [] : quietly(started)),
  ]
  try {
    return await inRounds(ways, rounds, progress)
  } finally {
    await host.forceStop()
    await host.destroy()
    await supervisor.close()
    if ('close' in container) await container.close()
    rmSync(stateDir, { recursive: true, force: true })
  }
}

/** Whole processes: what somebody at a terminal waits for. */
function commandLines(stateDir: string, container: ReturnType<typeof crun>): Way[] {
  const cli = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url))
  const run = [cli, '--state-dir', join(stateDir, 'cli'), 'run', '--', 'true']
  const peer = bubblewrap()
  const node = 'node -e 0'
  const whole = (name: string, program: string, args: readonly string[], env = littleEnvironment): Way => ({
    ...{ name, base: node, times: 2 },
    run: () => timed(() => endedWell(program, args, env)),
  })
  const ofSystemd = [whose, '--scope', '--quiet', '--collect', '/bin/true']
  return [
    whole(node, process.execPath, ['-e', '0']),
    ...(existsSync(cli) ? [whole('holdfast run true', process.execPath, run)] : []),
    ...('run' in peer ? [whole('bwrap true', 'bwrap', bubblewrapArguments('/bin/true'))] : []),
    ...('run' in container
      ? [{ name: 'crun run true', base: node, times: 2, run: () => timed(() => container.run(0)) }]
      : []),
    ...(existsSync('/run/systemd/system') && refused('systemd-run', 'systemd-run', ofSystemd) === null
      ? [whole('systemd-run --scope true', 'systemd-run', ofSystemd, process.env)]
      : []),
  ]
}

const whose = process.getuid?.() === 0 ? '--system' : '--user'

function quietly(started: () => Promise<{ destroy(): Promise<void> }>): Way[] {
  const quiet = `${bare}, after a second of quiet`
  return [
    {
      ...{ name: quiet, base: quiet, times: 1 },
      async run() {
        await sleep(1000)
        return timed(() => endedWell('/bin/true', []))
      },
    },
    {
      ...{ name: 'holdfast, start to end after a second of quiet', base: quiet, times: 1 },
      async run() {
        await sleep(1000)
        let one: { destroy(): Promise<void> } | undefined
        const took = await timed(async () => (one = await started()))
        await one?.destroy()
        return took
      },
    },
  ]
}

async function inRounds(
  ways: readonly Way[],
  rounds: number,
  progress: (text: string) => void,
): Promise<WayRow[]> {
  const found = new Map(ways.map(({ name }) => [name, [] as number[]]))
  // The first round warms up.
  for (let round = -1; round < rounds; round++) {
    progress(`ways: round ${round + 1} of ${rounds}`)
    for (const { name, times, run } of ways) {
      const took: number[] = []
      for (let time = 0; time < times; time++) took.push(await run())
      if (round >= 0) found.get(name)?.push(median(took))
    }
  }
  return ways.map(({ name, base }) => {
    const ms = found.get(name) ?? []
    return { name, base, ms: summary(ms), ratio: summary(ratios(ms, found.get(base) ?? [])) }
  })
}

function firstByteOfBare(): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/echo', ['x'], { stdio: ['ignore', 'pipe', 'ignore'] })
    child.once('error', reject)
    child.stdout.once('data', () => resolve())
  })
}
