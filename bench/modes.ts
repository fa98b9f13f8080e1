import { existsSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Contender, nothingToTidy } from './contender.ts'
import { holdfast } from './holdfast.ts'
import { Supervisor, setCommand } from './library.ts'
import { bareSpawn } from './peers/bare-spawn.ts'
import { endedWell } from './peers/child.ts'
import { interleaved } from './rounds.ts'
import { ratios, summary } from './statistics.ts'

/**
 * modes.ts [--rounds N] [--single N]: what a task costs on this host, by the way it finds its cgroup, against
 * a bare spawn in the same rounds. `test/vm/bench` runs it on this host and in the virtual machines: between
 * hosts, only the ratios can be compared.
 */
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, single: { type: 'string', default: '15' } },
})
const stateRoot = tmpdir()
const limits = { memoryMB: 64, pids: 32 }

/** The cost of a supervisor's first task: with its spawner, and where systemd runs, with its scope. */
function firstTask(name: string, does: string, path: string | undefined): Contender {
  return {
    name,
    version: null,
    does,
    async run() {
      const stateDir = join(stateRoot, `holdfast-bench-first-${Math.random().toString(36).slice(2)}`)
      const before = process.env.PATH
      if (path !== undefined) process.env.PATH = path
      const supervisor = new Supervisor({ stateDir, durability: 'process' })
      const task = supervisor.executor()
      setCommand(task, '/bin/true', [])
      try {
        await task.start()
        await task.wait()
      } finally {
        process.env.PATH = before
      }
      return async () => {
        await task.destroy()
        await supervisor.close()
        rmSync(stateDir, { recursive: true, force: true })
      }
    },
    async close() {},
  }
}

/** What a scope for every task would cost, before anything is isolated or recorded. */
const whose = process.getuid?.() === 0 ? '--system' : '--user'
const scopePerTask: Contender = {
  name: 'systemd-run --scope',
  version: null,
  does: 'a scope per task, nothing else',
  async run() {
    await endedWell('/usr/bin/systemd-run', [whose, '--scope', '--quiet', '--collect', '/bin/true'])
    return nothingToTidy
  },
  async close() {},
}

const underSystemd = existsSync('/run/systemd/system') && (await runs(scopePerTask))
const contenders = [
  bareSpawn,
  holdfast('holdfast basic', 'recorded', { platform: 'basic', durability: 'process' }, stateRoot),
  holdfast(
    'holdfast isolated',
    'isolated, recorded',
    { platform: 'linux', durability: 'process' },
    stateRoot,
  ),
  holdfast(
    'holdfast limited',
    'the same, memory and pids limits',
    { platform: 'linux', durability: 'process', limits },
    stateRoot,
  ),
  firstTask('first task', 'a new supervisor and its spawner', undefined),
  ...(underSystemd ? [scopePerTask] : []),
]
const effort = { rounds: Number(values.rounds), single: Number(values.single), many: 32 }
const figures = await interleaved(contenders, effort)
const base = figures.get(bareSpawn.name)?.singleMs ?? []
process.stdout.write(`${'way'.padEnd(24)}${'ms'.padStart(9)}${'x spawn'.padStart(9)}   what it does\n`)
for (const { name, does } of contenders) {
  const { singleMs = [] } = figures.get(name) ?? {}
  const [ms, ratio] = [summary(singleMs).median.toFixed(2), summary(ratios(singleMs, base)).median.toFixed(2)]
  process.stdout.write(`${name.padEnd(24)}${ms.padStart(9)}${ratio.padStart(9)}   ${does}\n`)
}
for (const contender of contenders) await contender.close()

async function runs(contender: Contender): Promise<boolean> {
  try {
    await contender.run(0)
    return true
  } catch {
    return false
  }
}
