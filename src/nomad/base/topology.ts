/** What the agent knows of the node's processors. Speeds in MHz. */
export type Topology = {
  readonly cores: readonly {
    readonly base_speed: number
    readonly max_speed: number
    readonly guess_speed: number
  }[]
}

/** The mean speed of a core, as Nomad's own total of the node has it; null where nothing is known. */
export function megahertzOf(topology: Topology | null): number | null {
  const speeds = (topology?.cores ?? []).map(
    ({ base_speed, max_speed, guess_speed }) => base_speed || max_speed || guess_speed,
  )
  const total = speeds.reduce((sum, speed) => sum + speed, 0)
  return total === 0 ? null : total / speeds.length
}
