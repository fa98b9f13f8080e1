import type { Entry } from './types.ts'

/** An edge of the chart: between states of the chart, and between the states that users see. */
export type Way = {
  readonly source: string
  readonly target: string
  readonly from: string
  readonly to: string
  readonly events: readonly string[]
}

export type Traced<Edge> = {
  /** The ways that were taken, each with the events by which. */
  readonly taken: ReadonlyMap<Edge, ReadonlySet<string>>
  readonly last: Edge | null
  /** States of the chart that were passed, or are. */
  readonly states: ReadonlySet<string>
}

/** What of the chart the entries of a journal have passed. */
export function traced<Edge extends Way>(ways: readonly Edge[], entries: readonly Entry[]): Traced<Edge> {
  const taken = new Map<Edge, Set<string>>()
  const states = new Set<string>()
  let last: Edge | null = null
  for (const entry of entries) {
    last = null
    for (const name of [entry.from, entry.to]) states.add(name)
    for (const way of waysOf(ways, entry)) {
      taken.set(way, (taken.get(way) ?? new Set()).add(entry.event))
      for (const name of [way.source, way.target]) states.add(name)
      last = way
    }
  }
  return { taken, last, states }
}

/**
 * An entry without a number has left no state that users see, but may have gone from one to another within
 * it.
 */
function waysOf<Edge extends Way>(ways: readonly Edge[], { from, to, event, sequence }: Entry): Edge[] {
  const between = ways.filter(
    way => way.from === from && way.to === to && (sequence !== null || way.source !== way.target),
  )
  const named = between.filter(({ events }) => events.includes(event))
  return named.length > 0 || sequence === null ? named : between
}

/** Which state of the chart is lit when users see `state`: a state in it, where the journal says which. */
export function litState(state: string, { taken }: Traced<Way>): string {
  const into = [...taken.keys()].filter(({ to }) => to === state).at(-1)
  return into?.target ?? state
}
