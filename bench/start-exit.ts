import type { Contender, Skipped } from './contender.ts'
import { holdfastContenders } from './holdfast.ts'
import { bareSpawn } from './peers/bare-spawn.ts'
import { bubblewrap } from './peers/bubblewrap.ts'
import { crun } from './peers/crun.ts'
import { execaPeer } from './peers/execa.ts'
import { type Effort, emptyFigures, interleaved } from './rounds.ts'
import { ratios, type Summary, summary } from './statistics.ts'

export type StartExitRow = {
  readonly name: string
  readonly version: string | null
  readonly does: string
  readonly singleMs: Summary
  readonly perSecond: Summary
  /** To bare spawn, round by round. */
  readonly singleRatio: Summary
  readonly perSecondRatio: Summary
}

export type StartExit = { readonly rows: readonly StartExitRow[]; readonly skipped: readonly Skipped[] }

/** Start to end known, one at a time and 16 in flight, of all contenders in one interleaved run. */
export async function measureStartExit(
  stateRoot: string,
  effort: Effort,
  progress: (text: string) => void,
): Promise<StartExit> {
  const all = [bareSpawn, execaPeer, ...holdfastContenders(stateRoot), bubblewrap(), crun()]
  const contenders = all.filter((one): one is Contender => 'run' in one)
  const skipped = all.filter((one): one is Skipped => 'reason' in one)
  try {
    const figures = await interleaved(contenders, effort, round =>
      progress(`start to end known: round ${round + 1} of ${effort.rounds}`),
    )
    const base = figures.get(bareSpawn.name) ?? emptyFigures()
    const rows = contenders.map(({ name, version, does }) => {
      const { singleMs, perSecond } = figures.get(name) ?? emptyFigures()
      return {
        name,
        version,
        does,
        singleMs: summary(singleMs),
        perSecond: summary(perSecond),
        singleRatio: summary(ratios(singleMs, base.singleMs)),
        perSecondRatio: summary(ratios(perSecond, base.perSecond)),
      }
    })
    return { rows, skipped }
  } finally {
    for (const contender of contenders) await contender.close()
  }
}
