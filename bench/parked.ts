import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Supervisor, setCommand } from './library.ts'
import { nameOf, pssKib, treeOf } from './processes.ts'
import { inFlight } from './rounds.ts'
import { medianOf, ratios, type Summary } from './statistics.ts'

export type ParkedRow = {
  readonly name: string
  /** To the first way: pairs of one turn, and of one round for the rate. */
  readonly toStarted: Summary
  readonly toEnd: Summary
  readonly rate: Summary
  /** Proportional set size that one parked shim and its PID 1 add; null: none are kept. */
  readonly kib: number | null
}

/** The last tells how much of a difference is none. */
const ways = [
  { name: 'the long way', parked: '0' },
  { name: 'filled in', parked: '4' },
  { name: 'the long way again', parked: '0' },
] as const

type Side = { readonly supervisor: Supervising; readonly spawner: number }
type Supervising = InstanceType<typeof Supervisor>

/**
 * What shims that are made before their tasks are worth: three supervisors of one program, which differ in
 * HOLDFAST_PARKED alone. Every way once in every turn, then each with 16 in flight. Root on Linux only.
 */
export async function measureParked(
  stateRoot: string,
  { rounds, turns, many }: { readonly rounds: number; readonly turns: number; readonly many: number },
  progress: (text: string) => void,
): Promise<ParkedRow[]> {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return []
  const stateDir = mkdtempSync(join(stateRoot, 'holdfast-bench-parked-'))
  const sides: Side[] = []
  try {
    for (const { name, parked } of ways) sides.push(await open(join(stateDir, name), parked))
    const found = ways.map(() => ({ started: [] as number[], ended: [] as number[], rate: [] as number[] }))
    for (let round = 0; round < rounds; round++) {
      progress(`parked shims: round ${round + 1} of ${rounds}`)
      for (let turn = 0; turn < turns; turn++)
        for (const index of order(round + turn)) {
          const { started, ended } = await startToEnd((sides[index] as Side).supervisor)
          found[index]?.started.push(started)
          found[index]?.ended.push(ended)
        }
      for (const index of order(round))
        found[index]?.rate.push(await perSecond((sides[index] as Side).supervisor, many))
    }
    const kib = await Promise.all(sides.map(({ supervisor, spawner }) => kibOfOne(supervisor, spawner)))
    const [base] = found
    return ways.map(({ name }, index) => ({
      name,
      toStarted: medianOf(ratios(found[index]?.started ?? [], base?.started ?? [])),
      toEnd: medianOf(ratios(found[index]?.ended ?? [], base?.ended ?? [])),
      rate: medianOf(ratios(found[index]?.rate ?? [], base?.rate ?? [])),
      kib: kib[index] ?? null,
    }))
  } finally {
    for (const { supervisor } of sides) await supervisor.close()
    rmSync(stateDir, { recursive: true, force: true })
  }
}

/** Each beginning with another one. */
function order(turn: number): number[] {
  return ways.map((_, index) => (index + turn) % ways.length)
}

/** Its first start is that of its spawner, which is told then. */
async function open(stateDir: string, parked: string): Promise<Side> {
  const others = new Set(spawners())
  const before = process.env.HOLDFAST_PARKED
  process.env.HOLDFAST_PARKED = parked
  const supervisor = new Supervisor({ stateDir, durability: 'process' })
  await startToEnd(supervisor)
  if (before === undefined) delete process.env.HOLDFAST_PARKED
  else process.env.HOLDFAST_PARKED = before
  const spawner = spawners().find(pid => !others.has(pid)) ?? 0
  for (let start = 0; start < inFlight; start++) await startToEnd(supervisor)
  return { supervisor, spawner }
}

function spawners(): number[] {
  return treeOf(process.pid).filter(pid => nameOf(pid) === 'holdfast-native')
}

async function startToEnd(supervisor: Supervising): Promise<{ started: number; ended: number }> {
  const task = supervisor.executor('linux')
  setCommand(task, '/bin/true', [])
  const began = performance.now()
  await task.start()
  const started = performance.now() - began
  const result = await task.wait()
  const ended = performance.now() - began
  if (!result.successful) throw new Error(JSON.stringify(result))
  await task.destroy()
  return { started, ended }
}

async function perSecond(supervisor: Supervising, many: number): Promise<number> {
  let begun = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (begun++ < many) await startToEnd(supervisor)
    }),
  )
  return (1000 * many) / (performance.now() - began)
}

/** All processes of the spawner's, with those that wait and when they have gone. */
async function kibOfOne(supervisor: Supervising, spawner: number): Promise<number | null> {
  const waiting = () => treeOf(spawner).filter(pid => nameOf(pid) === 'holdfast-parked').length
  const sum = () => treeOf(spawner).reduce((kib, pid) => kib + pssKib(pid), 0)
  for (let start = 0; start < 8; start++) await startToEnd(supervisor)
  await sleep(200)
  const [count, kib] = [waiting(), sum()]
  if (count === 0) return null
  while (treeOf(spawner).length > 1) await sleep(100)
  return (kib - sum()) / count
}
