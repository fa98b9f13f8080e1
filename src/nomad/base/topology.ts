/** What the agent knows of the node's processors. Speeds in MHz. */
export type Topology = {
  readonly cores: readonly {
    readonly base_speed: number
    readonly max_speed: number
    readonly guess_speed: number
  }[]
  /** The client's `cpu_total_compute`: all of the cores together. 0: it says nothing of that. */
  readonly override_total_compute?: number
}

/**
 * The mean speed of a core: of Nomad's own drivers, too, a core that is fully used has so many ticks. Null
 * where nothing is known.
 */
export function megahertzOf(topology: Topology | null): number | null {
  const speeds = (topology?.cores ?? []).map(
    ({ base_speed, max_speed, guess_speed }) => base_speed || max_speed || guess_speed,
  )
  const detected = speeds.reduce((sum, speed) => sum + speed, 0)
  const total = topology?.override_total_compute || detected
  return total === 0 || speeds.length === 0 ? null : total / speeds.length
}
