import { until } from '../support/until.ts'
import type { RealAgent } from './agent.ts'

export type Driver = {
  readonly Detected: boolean
  readonly Healthy: boolean
  readonly HealthDescription: string
  readonly Attributes: Readonly<Record<string, string>>
}

/** Of the only node there is. */
export async function driverOf(agent: RealAgent, name = 'holdfast'): Promise<Driver | undefined> {
  const [node] = (await agent.get('/v1/nodes')) as { ID: string }[]
  if (node === undefined) return undefined
  const { Drivers } = (await agent.get(`/v1/node/${node.ID}`)) as {
    Drivers: Record<string, Driver | undefined>
  }
  return Drivers[name]
}

/** Resolves when it takes jobs. */
export async function isHealthy(agent: RealAgent): Promise<void> {
  await until('the driver is healthy', async () => (await driverOf(agent))?.Healthy === true, 60_000)
}
