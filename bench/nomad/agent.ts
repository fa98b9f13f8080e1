import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { RealAgent } from '../../test/nomad/real/agent.ts'
import { driverOf } from '../../test/nomad/real/node.ts'
import { until } from '../../test/nomad/support/until.ts'

/** The least in which exec runs a shell. Its default is the subject of chroot.ts. */
const least = [
  '/bin/sh',
  '/bin/dash',
  '/bin/sleep',
  '/bin/true',
  '/lib64/ld-linux-x86-64.so.2',
  '/lib/ld-linux-aarch64.so.1',
  ...['x86_64', 'aarch64'].flatMap(cpu => [
    `/lib/${cpu}-linux-gnu/libc.so.6`,
    `/lib/${cpu}-linux-gnu/${cpu === 'x86_64' ? 'ld-linux-x86-64.so.2' : 'ld-linux-aarch64.so.1'}`,
  ]),
]

export type Measured = 'exec' | 'holdfast'

/** An agent with both drivers, on loopback. `collects`: without Nomad's collector of logs for holdfast. */
export async function startAgent(
  directory: string,
  name: string,
  { collects = false, chroot = 'least' }: { collects?: boolean; chroot?: 'least' | 'default' } = {},
): Promise<RealAgent> {
  mkdirSync(directory, { recursive: true })
  const embedded = `chroot_env {\n${least.map(path => `"${path}" = "${path}"`).join('\n')}\n}`
  const agent = await RealAgent.make(process.env.NOMAD_BIN ?? 'nomad', join(directory, name), {
    server: true,
    client: true,
    drivers: ['exec'],
    more: { client: chroot === 'least' ? embedded : '', plugin: collects ? 'collect_logs = true' : '' },
  })
  await agent.start()
  for (const driver of ['exec', 'holdfast'])
    await until(`${driver} is healthy`, async () => (await driverOf(agent, driver))?.Healthy === true, 60_000)
  return agent
}
