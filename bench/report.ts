import Table from 'cli-table3'
import { type BallastRow, ballastMegabytes } from './ballast.ts'
import type { Skipped } from './contender.ts'
import type { EgressRow } from './egress.ts'
import type { LoadRow } from './load.ts'
import type { LogRow } from './logs.ts'
import { type MemoryRow, sleepers } from './memory.ts'
import type { ParkedRow } from './parked.ts'
import type { RetentionRow } from './retention.ts'
import { inFlight } from './rounds.ts'
import type { ScaleRow } from './scale.ts'
import type { StartExitRow } from './start-exit.ts'
import type { Summary } from './statistics.ts'
import { sampledTasks, type UsageRow } from './usage.ts'
import type { WallRow } from './walls.ts'
import type { WayRow } from './ways.ts'

export function startExitTable(rows: readonly StartExitRow[]): string {
  if (rows.length === 0) return ''
  const table = new Table({
    head: [
      'start to end known',
      'one at a time',
      'x spawn',
      `${inFlight} in flight`,
      'x spawn',
      'what it does',
    ],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'left'],
    style: plain,
  })
  for (const { name, singleMs, singleRatio, perSecond, perSecondRatio, does } of rows)
    table.push([
      name,
      `${singleMs.median.toFixed(2)} ms`,
      ratio(singleRatio),
      `${perSecond.median.toFixed(0)}/s`,
      ratio(perSecondRatio),
      does,
    ])
  return table.toString()
}

export function wayTable(rows: readonly WayRow[]): string {
  if (rows.length === 0) return ''
  const table = new Table({
    head: ['one at a time', 'time', 'x', 'of'],
    colAligns: ['left', 'right', 'right', 'left'],
    style: plain,
  })
  for (const { name, base, ms, ratio: times } of rows)
    table.push([name, `${ms.median.toFixed(2)} ms`, ratio(times), base])
  return table.toString()
}

export function egressTable(rows: readonly EgressRow[]): string {
  if (rows.length === 0) return ''
  const table = new Table({
    head: ['from a task', 'direct', 'through its forwarder', 'x direct'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: plain,
  })
  for (const { name, directMs, throughMs, ratio: times } of rows)
    table.push([name, `${directMs.median.toFixed(1)} ms`, `${throughMs.median.toFixed(1)} ms`, ratio(times)])
  return table.toString()
}

export function wallTable(rows: readonly WallRow[]): string {
  if (rows.length === 0) return ''
  const table = new Table({
    head: ['start to end, one at a time', 'time', 'x all walls', 'x child_process.spawn'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: plain,
  })
  for (const { name, ms, toAll, toBare } of rows)
    table.push([name, `${ms.median.toFixed(2)} ms`, ratio(toAll), ratio(toBare)])
  return table.toString()
}

export function loadTable(rows: readonly LoadRow[]): string {
  if (rows.length === 0) return ''
  const table = new Table({
    head: ['a whole process', 'time', 'x node -e 0', 'files of JavaScript'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: plain,
  })
  for (const { name, ms, ratio: times, files } of rows)
    table.push([name, `${ms.median.toFixed(0)} ms`, ratio(times), files])
  return table.toString()
}

export function ballastTable(rows: readonly BallastRow[]): string {
  if (rows.length === 0) return ''
  const table = new Table({
    head: [
      `with ${ballastMegabytes} MiB of ballast`,
      'time, x without',
      'throughput, x without',
      'time, x spawn',
      'throughput, x spawn',
    ],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: plain,
  })
  for (const { name, singleGrowth, perSecondGrowth, singleRatio, perSecondRatio } of rows)
    table.push([name, ratio(singleGrowth), ratio(perSecondGrowth), ratio(singleRatio), ratio(perSecondRatio)])
  return table.toString()
}

export function memoryTable(rows: readonly MemoryRow[]): string {
  if (rows.length === 0) return ''
  const table = new Table({
    head: [`memory of ${sleepers} sleeping tasks`, 'PSS a task', 'processes a task'],
    colAligns: ['left', 'right', 'right'],
    style: plain,
  })
  for (const { name, kibPerTask, processesPerTask } of rows)
    table.push([name, `${kibPerTask.toFixed(0)} KiB`, processesPerTask.toFixed(1)])
  return table.toString()
}

export function parkedTable(rows: readonly ParkedRow[]): string {
  if (rows.length === 0) return ''
  const table = new Table({
    head: ['x the long way', 'start told', 'end told', `rate, ${inFlight} in flight`, 'PSS of one'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: plain,
  })
  for (const { name, toStarted, toEnd, rate, kib } of rows)
    table.push([
      name,
      ratio(toStarted),
      ratio(toEnd),
      ratio(rate),
      kib === null ? 'none' : `${kib.toFixed(0)} KiB`,
    ])
  return table.toString()
}

export function scaleTable(rows: readonly ScaleRow[]): string {
  if (rows.length === 0) return ''
  const table = new Table({
    head: [
      'opened by a new process',
      'time',
      'CPU',
      'CPU, x reading',
      'longest gap',
      'heap a task',
      'fds a task',
      'RSS',
      'ps --all',
    ],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: plain,
  })
  for (const row of rows)
    table.push([
      `${row.tasks} ${row.name}`,
      `${row.milliseconds.toFixed(0)} ms`,
      `${row.cpuMs.toFixed(0)} ms`,
      row.cpuRatio.toFixed(2),
      `${row.gapMs.toFixed(0)} ms`,
      `${row.heapKibPerTask.toFixed(1)} KiB`,
      row.descriptorsPerTask.toFixed(2),
      `${row.rssMib.toFixed(0)} MiB`,
      row.psMs === null ? '' : `${row.psMs.toFixed(0)} ms`,
    ])
  return table.toString()
}

export function logTable(rows: readonly LogRow[]): string {
  if (rows.length === 0) return ''
  const table = new Table({
    head: ['512 MiB of logs', 'CPU of task and shim', 'x plain'],
    colAligns: ['left', 'right', 'right'],
    style: plain,
  })
  for (const { name, cpuMs, cpuRatio } of rows)
    table.push([name, `${cpuMs.median.toFixed(0)} ms`, ratio(cpuRatio)])
  return table.toString()
}

export function usageTable(rows: readonly UsageRow[]): string {
  if (rows.length === 0) return ''
  const table = new Table({
    head: [`usage of ${sampledTasks} limited tasks`, 'CPU', 'x reading', 'CPU, rested', 'x reading'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: plain,
  })
  for (const { name, cpuMs, cpuRatio, restedMs, restedRatio } of rows)
    table.push([
      ...[name, `${cpuMs.median.toFixed(2)} ms`, ratio(cpuRatio)],
      ...[`${restedMs.median.toFixed(2)} ms`, ratio(restedRatio)],
    ])
  return table.toString()
}

export function retentionTable(rows: readonly RetentionRow[]): string {
  if (rows.length === 0) return ''
  const table = new Table({
    head: ['ended tasks', 'tasks', 'entries each', 'KiB each', 'prune', 'x rm -r'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
    style: plain,
  })
  for (const { name, tasks, entries, kib, pruneMs, ratio } of rows)
    table.push([
      ...[name, tasks, entries.toFixed(1), kib.toFixed(1)],
      ...[`${pruneMs.toFixed(0)} ms`, ratio.toFixed(2)],
    ])
  return table.toString()
}

export function skippedLines(skipped: readonly Skipped[]): string {
  return skipped.map(({ name, reason }) => `SKIPPED ${name}: ${reason}\n`).join('')
}

/** Median, and the quartiles: how far rounds of the same run were apart. */
function ratio({ median, low, high }: Summary): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`
}

const plain = { head: [], border: [] }
