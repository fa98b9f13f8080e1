import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Table from 'cli-table3'
import { nomadBinary, type RealAgent } from '../../test/nomad/real/agent.ts'
import { removeLeft } from '../../test/nomad/real/left.ts'
import { endAllIn } from '../../test/nomad/real/agents.ts'
import { type Measured, startAgent } from './agent.ts'
import { rootOf } from './chroot.ts'
import { afterKill, manySeconds, memoryOf, untilUpMs } from './measures.ts'

const quick = process.argv.includes('--quick')
// Some of the parts: where all is slow, one at a time.
const named = process.argv.indexOf('--only')
const only = named < 0 ? null : (process.argv[named + 1]?.split(',') ?? [])
const effort = quick ? { sleepers: 4, rounds: 3, many: 20 } : { sleepers: 10, rounds: 9, many: 100 }

type Add = (cells: readonly string[]) => void

/** An agent each. */
const parts = {
  logmon: { options: {}, rows: besideCollectors },
  collects: { options: { collects: true }, rows: withoutCollectors },
  root: { options: { chroot: 'default' }, rows: withDefaultRoot },
} as const

const unknown = only?.find(name => !(name in parts))
if (unknown !== undefined) throw new Error(`--only: got "${unknown}", takes ${Object.keys(parts).join(', ')}`)

if (nomadBinary() === null || process.geteuid?.() !== 0) {
  process.stderr.write('SKIPPED bench/nomad: needs root, and the binary of Nomad in NOMAD_BIN or on PATH\n')
} else {
  process.env.NOMAD_BIN = nomadBinary() ?? ''
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-nomad-'))
  const agents: RealAgent[] = []
  try {
    process.stdout.write(`${await measure(directory, agents)}\n`)
  } finally {
    for (const agent of agents) await agent.end('SIGKILL')
    await endAllIn(directory)
    removeLeft(directory)
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Both drivers in one agent, in turns, so that what the machine does meanwhile is the same for both. */
async function measure(directory: string, agents: RealAgent[]): Promise<string> {
  const table = new Table({
    head: ['', 'exec', 'holdfast', 'exec / holdfast'],
    style: { head: [], border: [] },
  })
  // As they come: where all is slow, a machine may be stopped before the last.
  const add: Add = cells => {
    table.push([...cells])
    process.stderr.write(`${cells.join(' | ')}\n`)
  }
  for (const [name, { options, rows }] of Object.entries(parts)) {
    if (only !== null && !only.includes(name)) continue
    const agent = await startAgent(directory, name, options)
    agents.push(agent)
    await rows(agent, add)
    await agent.end('SIGINT')
  }
  return table.toString()
}

async function besideCollectors(agent: RealAgent, add: Add): Promise<void> {
  const memory = await both(driver => memoryOf(agent, driver, effort.sleepers))
  add(
    row(
      'a running task costs the driver',
      memory.map(({ kibPerTask }) => kibPerTask),
      kib,
    ),
  )
  add(
    row(
      "and Nomad's collector of its logs",
      memory.map(({ logmonKibPerTask }) => logmonKibPerTask),
      kib,
    ),
  )
  add(['once a node', '-', kib(memory[1].kibPerNode), ''])
  for (const logs of [true, false])
    add(
      row(
        logs ? 'up, with a collector of logs' : 'up, logs disabled by the job',
        await both(driver => untilUpMs(agent, driver, { rounds: effort.rounds, logs })),
        ms,
      ),
    )
  add(
    row(
      `${effort.many} times /bin/true`,
      await both(driver => manySeconds(agent, driver, effort.many)),
      seconds,
    ),
  )
  const ends = await both(driver => afterKill(agent, driver))
  add(['ended while agent and executor were killed', ...ends, ''])
}

async function withoutCollectors(agent: RealAgent, add: Add): Promise<void> {
  add(
    row(
      'up, with logs: a collector there, none here',
      await both(driver => untilUpMs(agent, driver, { rounds: effort.rounds, logs: true })),
      ms,
    ),
  )
  add(
    row(
      `${effort.many} times /bin/true, likewise`,
      await both(driver => manySeconds(agent, driver, effort.many)),
      seconds,
    ),
  )
}

async function withDefaultRoot(agent: RealAgent, add: Add): Promise<void> {
  const roots = await both(driver => rootOf(agent, driver))
  add(
    row(
      '/bin/true with the default root, to its end',
      roots.map(root => root.seconds),
      seconds,
    ),
  )
  add(
    row(
      'its directory: inodes of its own',
      roots.map(({ inodes }) => inodes),
      String,
    ),
  )
  add(
    row(
      'its directory: on the disk',
      roots.map(({ mebibytes }) => mebibytes),
      value => `${value.toFixed(1)} MiB`,
    ),
  )
}

async function both<Value>(of: (driver: Measured) => Promise<Value>): Promise<readonly [Value, Value]> {
  return [await of('exec'), await of('holdfast')]
}

function row(what: string, [theirs, ours]: readonly number[], show: (value: number) => string): string[] {
  return [
    what,
    show(theirs ?? Number.NaN),
    show(ours ?? Number.NaN),
    ((theirs ?? 0) / (ours ?? 1)).toFixed(1),
  ]
}

function kib(value: number): string {
  return value < 1024 ? `${value.toFixed(0)} KiB` : `${(value / 1024).toFixed(1)} MiB`
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`
}
