import { existsSync, mkdirSync, statfsSync, writeFileSync } from 'node:fs'
import { availableParallelism, release, tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measureBallast } from './ballast.ts'
import { measureEgress } from './egress.ts'
import { measureLoad } from './load.ts'
import { measureLogs } from './logs.ts'
import { measureMemory } from './memory.ts'
import { measureParked } from './parked.ts'
import {
  ballastTable,
  egressTable,
  loadTable,
  logTable,
  memoryTable,
  parkedTable,
  retentionTable,
  scaleTable,
  skippedLines,
  startExitTable,
  usageTable,
  wallTable,
  wayTable,
} from './report.ts'
import { measureRetention } from './retention.ts'
import { measureScale } from './scale.ts'
import { measureStartExit } from './start-exit.ts'
import { verdicts } from './targets.ts'
import { measureUsage } from './usage.ts'
import { measureWalls } from './walls.ts'
import { measureWays } from './ways.ts'

const help = `npm run bench -- [--quick] [--state-root DIR] [--only start-exit|ways|walls|parked|egress|ballast|memory|scale|retention|logs|usage|load]
                [--baseline DIR]   an earlier holdfast, built, whose loading is measured in the same rounds
                [--running N] [--isolated N] [--finished N]   how many tasks scale opens of each kind

Measures the built package (npm run build) against its peers, in one run, and says how the targets were met.
Figures hold for this machine and this run; what carries over are the ratios.
`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    'state-root': { type: 'string' },
    only: { type: 'string' },
    baseline: { type: 'string' },
    running: { type: 'string' },
    isolated: { type: 'string' },
    finished: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(help)
else await run(values['state-root'], values.quick, values.only, values.baseline)

async function run(
  givenRoot: string | undefined,
  quick: boolean,
  only: string | undefined,
  baseline: string | undefined,
): Promise<void> {
  const stateRoot = givenRoot ?? tmpdir()
  const wanted = (part: string): boolean => only === undefined || only === part
  const effort = quick ? { rounds: 3, single: 15, many: 48 } : { rounds: 25, single: 40, many: 128 }
  const host = describeHost(stateRoot)
  process.stdout.write(`${Object.values(host).join(', ')}\n\n`)

  const startExit = wanted('start-exit')
    ? await measureStartExit(stateRoot, effort, progress)
    : { rows: [], skipped: [] }
  show(startExitTable(startExit.rows), skippedLines(startExit.skipped))
  const ways = wanted('ways') ? await measureWays(stateRoot, { rounds: quick ? 3 : 15, quick }, progress) : []
  show(wayTable(ways))
  const wallEffort = quick ? { turns: 25 } : { turns: 300 }
  const walls = wanted('walls') ? await measureWalls(stateRoot, wallEffort, progress) : []
  show(wallTable(walls))
  const parkedEffort = quick ? { rounds: 4, turns: 12, many: 48 } : { rounds: 25, turns: 20, many: 96 }
  const parked = wanted('parked') ? await measureParked(stateRoot, parkedEffort, progress) : []
  show(parkedTable(parked))
  const egressEffort = quick ? { turns: 1, rounds: 3 } : { turns: 5, rounds: 5 }
  const egress = wanted('egress') ? await measureEgress(stateRoot, egressEffort, progress) : []
  show(egressTable(egress))
  const ballastEffort = { ...effort, rounds: Math.ceil(effort.rounds / 2), many: effort.many / 2 }
  const ballast = wanted('ballast') ? await measureBallast(stateRoot, ballastEffort, progress) : []
  show(ballastTable(ballast))
  const memory = wanted('memory') ? await measureMemory(stateRoot, progress) : { rows: [], skipped: [] }
  show(memoryTable(memory.rows), skippedLines(memory.skipped))

  const usual = quick
    ? { rounds: 3, running: 100, isolated: 20, finished: 1000 }
    : { rounds: 5, running: 1000, isolated: 100, finished: 10_000 }
  const scaleEffort = {
    rounds: usual.rounds,
    running: countOf('running', usual.running),
    isolated: countOf('isolated', usual.isolated),
    finished: countOf('finished', usual.finished),
  }
  const scale = wanted('scale') ? await measureScale(givenRoot ?? inMemory(), scaleEffort, progress) : []
  show(scaleTable(scale))

  const retained = wanted('retention') ? await measureRetention(stateRoot, quick ? 100 : 2000, progress) : []
  show(retentionTable(retained))

  const logs = wanted('logs') ? await measureLogs(givenRoot ?? inMemory(), quick ? 5 : 15, progress) : []
  show(logTable(logs))
  const usage = wanted('usage') ? await measureUsage(stateRoot, quick ? 5 : 15, progress) : []
  show(usageTable(usage))

  const load = wanted('load') ? measureLoad(baseline, quick ? 5 : 20) : []
  show(loadTable(load))

  const targets = verdicts(startExit.rows, ballast, memory.rows, scale)
  for (const { target, found, met } of targets)
    process.stdout.write(`${met ? 'met   ' : 'MISSED'}  ${target}: ${found}\n`)
  save({
    host,
    effort,
    startExit,
    ways,
    walls,
    parked,
    egress,
    ballast,
    memory,
    scale,
    retained,
    logs,
    usage,
    load,
    targets,
  })
}

function countOf(option: 'running' | 'isolated' | 'finished', usual: number): number {
  const count = Number(values[option] ?? usual)
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`--${option} takes a number of tasks`)
  return count
}

/** Ten thousand directories, gigabytes of logs: how fast a disk takes them is another question. */
function inMemory(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
}

/** What the figures depend on. The flush of a record costs nothing in a file system that has no disk. */
function describeHost(stateRoot: string): Record<string, string> {
  return {
    node: `Node ${process.version}`,
    kernel: `${process.platform} ${release()}`,
    processors: `${availableParallelism()} processors`,
    fileSystem: `state in ${stateRoot} (file system type 0x${statfsSync(stateRoot).type.toString(16)})`,
  }
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
}

function show(table: string, notes = ''): void {
  if (table === '') return
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  process.stdout.write(`${table}\n${notes}\n`)
}

function save(results: unknown): void {
  const artifacts = fileURLToPath(new URL('../artifacts', import.meta.url))
  mkdirSync(artifacts, { recursive: true })
  writeFileSync(`${artifacts}/bench.json`, `${JSON.stringify(results, null, 2)}\n`)
  process.stdout.write(`\nall figures: ${artifacts}/bench.json\n`)
}
