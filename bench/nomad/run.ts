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
const effort = quick ? { sleepers: 4, rounds: 3, many: 20 } : { sleepers: 10, rounds: 9, many: 100 }

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
  const add = (cells: readonly string[]) => {
    table.push([...cells])
    process.stderr.write(`${cells.join(' | ')}\n`)
  }
  const row = (what: string, [theirs, ours]: readonly number[], show: (value: number) => string) =>
    add([
      what,
      show(theirs ?? Number.NaN),
      show(ours ?? Number.NaN),
      ((theirs ?? 0) / (ours ?? 1)).toFixed(1),
    ])
  const both = async <Value>(of: (driver: Measured) => Promise<Value>) =>
    [await of('exec'), await of('holdfast')] as const
  const kib = (value: number) =>
    value < 1024 ? `${value.toFixed(0)} KiB` : `${(value / 1024).toFixed(1)} MiB`
  const ms = (value: number) => `${value.toFixed(0)} ms`
  const seconds = (value: number) => `${value.toFixed(2)} s`

  const agent = await startAgent(directory, 'logmon')
  agents.push(agent)
  const memory = await both(driver => memoryOf(agent, driver, effort.sleepers))
  row(
    'a running task costs the driver',
    memory.map(({ kibPerTask }) => kibPerTask),
    kib,
  )
  row(
    "and Nomad's collector of its logs",
    memory.map(({ logmonKibPerTask }) => logmonKibPerTask),
    kib,
  )
  add(['once a node', '-', kib(memory[1].kibPerNode), ''])
  for (const logs of [true, false])
    row(
      logs ? 'up, with a collector of logs' : 'up, logs disabled by the job',
      await both(driver => untilUpMs(agent, driver, { rounds: effort.rounds, logs })),
      ms,
    )
  row(
    `${effort.many} times /bin/true`,
    await both(driver => manySeconds(agent, driver, effort.many)),
    seconds,
  )
  const ends = await both(driver => afterKill(agent, driver))
  add(['ended while agent and executor were killed', ...ends, ''])
  await agent.end('SIGINT')

  const collecting = await startAgent(directory, 'collects', { collects: true })
  agents.push(collecting)
  row(
    'up, with logs: a collector there, none here',
    await both(driver => untilUpMs(collecting, driver, { rounds: effort.rounds, logs: true })),
    ms,
  )
  row(
    `${effort.many} times /bin/true, likewise`,
    await both(driver => manySeconds(collecting, driver, effort.many)),
    seconds,
  )
  await collecting.end('SIGINT')

  const whole = await startAgent(directory, 'root', { chroot: 'default' })
  agents.push(whole)
  const roots = await both(driver => rootOf(whole, driver))
  row(
    '/bin/true with the default root, to its end',
    roots.map(root => root.seconds),
    seconds,
  )
  row(
    'its directory: inodes of its own',
    roots.map(({ inodes }) => inodes),
    String,
  )
  row(
    'its directory: on the disk',
    roots.map(({ mebibytes }) => mebibytes),
    value => `${value.toFixed(1)} MiB`,
  )
  return table.toString()
}
