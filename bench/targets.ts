import type { BallastRow } from './ballast.ts'
import { isolated } from './holdfast.ts'
import type { MemoryRow } from './memory.ts'
import type { ScaleRow } from './scale.ts'
import type { StartExitRow } from './start-exit.ts'

export type Verdict = { readonly target: string; readonly found: string; readonly met: boolean }

/** What the project promises of an isolated task, held against this run. */
export function verdicts(
  rows: readonly StartExitRow[],
  ballast: readonly BallastRow[],
  memory: readonly MemoryRow[],
  scale: readonly ScaleRow[],
): Verdict[] {
  const ours = rows.find(({ name }) => name === isolated)
  const heavy = ballast.find(({ name }) => name === isolated)
  const kept = memory.find(({ name }) => name === isolated)
  return [
    atMost('isolated and recorded, one at a time: time to that of bare spawn', ours?.singleRatio.median, 1.3),
    atLeast('16 in flight: throughput to that of bare spawn', ours?.perSecondRatio.median, 1),
    // Rounds of one run differ by some per cent; a fork of Node with this ballast costs ten times as much.
    atMost('with ballast, one at a time: time to that without', heavy?.singleGrowth.median, 1.15),
    atMost('PSS per sleeping task, KiB', kept?.kibPerTask, 32),
    ...scale.flatMap(scaleVerdicts),
  ].filter(verdict => verdict !== null)
}

function scaleVerdicts({ name, tasks, milliseconds, gapMs, heapKibPerTask }: ScaleRow): (Verdict | null)[] {
  const what = `${tasks} ${name}`
  const aim = name.startsWith('running') ? 300 : 1000
  return [
    atMost(`${what}: opened by a new process, ms`, milliseconds, aim),
    atMost(`${what}: longest gap of the event loop meanwhile, ms`, gapMs, 50),
    atMost(`${what}: heap a task, KiB`, heapKibPerTask, 8),
  ]
}

function atMost(target: string, value: number | undefined, max: number): Verdict | null {
  return value === undefined
    ? null
    : { target: `${target} <= ${max}`, found: value.toFixed(2), met: value <= max }
}

function atLeast(target: string, value: number | undefined, min: number): Verdict | null {
  return value === undefined
    ? null
    : { target: `${target} >= ${min}`, found: value.toFixed(2), met: value >= min }
}
