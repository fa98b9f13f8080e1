import type { Contender } from './contender.ts'
import { median } from './statistics.ts'

export type Effort = {
  readonly rounds: number
  /** Tasks per contender and round, one at a time. */
  readonly single: number
  /** Tasks per contender and round, 16 in flight. */
  readonly many: number
}

/** One value per round. */
export type Figures = {
  /** Milliseconds from request to end known, one at a time: the round's median. */
  readonly singleMs: number[]
  /** Tasks per second, 16 in flight. */
  readonly perSecond: number[]
}

export const inFlight = 16

/**
 * Every contender in every round, each round beginning with another one: whatever the machine does meanwhile,
 * it does to all.
 */
export async function interleaved(
  contenders: readonly Contender[],
  effort: Effort,
  progress: (round: number) => void = () => {},
): Promise<Map<string, Figures>> {
  const figures = new Map(contenders.map(({ name }) => [name, emptyFigures()]))
  for (const contender of contenders) await together(contender, 2 * inFlight)
  for (let round = 0; round < effort.rounds; round++) {
    progress(round)
    for (let index = 0; index < contenders.length; index++) {
      const contender = contenders[(index + round) % contenders.length] as Contender
      const { singleMs, perSecond } = figures.get(contender.name) ?? emptyFigures()
      singleMs.push(median(await oneAtATime(contender, effort.single)))
      perSecond.push((1000 * effort.many) / (await together(contender, effort.many)))
    }
  }
  return figures
}

export function emptyFigures(): Figures {
  return { singleMs: [], perSecond: [] }
}

export async function oneAtATime(contender: Contender, count: number): Promise<number[]> {
  const times: number[] = []
  for (let task = 0; task < count; task++) {
    const begin = performance.now()
    const tidy = await contender.run(0)
    times.push(performance.now() - begin)
    await tidy()
  }
  return times
}

/** Milliseconds for `count` tasks, 16 in flight. */
export async function together(contender: Contender, count: number): Promise<number> {
  const leftovers: (() => Promise<void>)[] = []
  let started = 0
  const begin = performance.now()
  await Promise.all(
    Array.from({ length: inFlight }, async (_, slot) => {
      while (started++ < count) leftovers.push(await contender.run(slot))
    }),
  )
  const elapsed = performance.now() - begin
  for (const tidy of leftovers) await tidy()
  return elapsed
}
