import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { BallastRequest } from './ballast-child.ts'
import { isolated } from './holdfast.ts'
import { bareSpawn } from './peers/bare-spawn.ts'
import { type Effort, emptyFigures, type Figures } from './rounds.ts'
import { ratios, type Summary, summary } from './statistics.ts'

export const ballastMegabytes = 512

export type BallastRow = {
  readonly name: string
  /** With ballast over without, round by round: 1 is no growth. */
  readonly singleGrowth: Summary
  readonly perSecondGrowth: Summary
  /** With ballast, to bare spawn with the same ballast. */
  readonly singleRatio: Summary
  readonly perSecondRatio: Summary
}

/** What 512 MiB of memory in the supervisor do to its starts: two processes, with and without, in turn. */
export async function measureBallast(
  stateRoot: string,
  effort: Effort,
  progress: (text: string) => void,
): Promise<BallastRow[]> {
  const light = startChild(0, stateRoot)
  const heavy = startChild(ballastMegabytes, stateRoot)
  const without: Record<string, Figures> = {}
  const withBallast: Record<string, Figures> = {}
  for (let round = 0; round < effort.rounds; round++) {
    progress(`with ${ballastMegabytes} MiB of ballast: round ${round + 1} of ${effort.rounds}`)
    const request = { ...effort, rounds: 1, last: round === effort.rounds - 1 }
    append(without, await ask(light, request))
    append(withBallast, await ask(heavy, request))
  }
  const base = withBallast[bareSpawn.name] ?? emptyFigures()
  return [bareSpawn.name, isolated].map(name => {
    const heavier = withBallast[name] ?? emptyFigures()
    const lighter = without[name] ?? emptyFigures()
    return {
      name,
      singleGrowth: summary(ratios(heavier.singleMs, lighter.singleMs)),
      perSecondGrowth: summary(ratios(heavier.perSecond, lighter.perSecond)),
      singleRatio: summary(ratios(heavier.singleMs, base.singleMs)),
      perSecondRatio: summary(ratios(heavier.perSecond, base.perSecond)),
    }
  })
}

function startChild(megabytes: number, stateRoot: string): ChildProcess {
  return fork(fileURLToPath(new URL('ballast-child.ts', import.meta.url)), [String(megabytes), stateRoot])
}

async function ask(child: ChildProcess, request: BallastRequest): Promise<Record<string, Figures>> {
  child.send(request)
  const failed = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the process with ballast ended early (${signal ?? code})`)
  })
  const [figures] = (await Promise.race([once(child, 'message'), failed])) as [Record<string, Figures>]
  // The loser of the race ends in its own time, and rightly so after the last round.
  failed.catch(() => {})
  return figures
}

function append(all: Record<string, Figures>, round: Record<string, Figures>): void {
  for (const [name, { singleMs, perSecond }] of Object.entries(round)) {
    all[name] ??= emptyFigures()
    all[name].singleMs.push(...singleMs)
    all[name].perSecond.push(...perSecond)
  }
}
