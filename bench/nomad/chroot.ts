import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { RealAgent } from '../../test/nomad/real/agent.ts'
import type { Measured } from './agent.ts'
import { inState, submit } from './jobs.ts'

/** What a task's directory is made of with the client's default `chroot_env`, and until it is up. */
export type Root = { readonly seconds: number; readonly inodes: number; readonly mebibytes: number }

/** What is linked from the node takes no room of its own and is not counted as such. */
export async function rootOf(agent: RealAgent, driver: Measured): Promise<Root> {
  const job = `root-${driver}`
  const from = performance.now()
  await submit(agent, job, driver, { command: '/bin/true' })
  const [alloc] = await inState(agent, job, 1, ['complete'])
  const seconds = (performance.now() - from) / 1000
  const { own, blocks } = countIn(join(agent.directory, 'data/alloc', alloc?.ID ?? ''))
  return { seconds, inodes: own, mebibytes: (blocks * 512) / 1024 ** 2 }
}

function countIn(path: string): { own: number; blocks: number } {
  const stat = lstatSync(path)
  if (!stat.isDirectory()) return stat.nlink > 1 ? { own: 0, blocks: 0 } : { own: 1, blocks: stat.blocks }
  const below = readdirSync(path).map(name => countIn(join(path, name)))
  return {
    own: below.reduce((sum, { own }) => sum + own, 1),
    blocks: below.reduce((sum, { blocks }) => sum + blocks, stat.blocks),
  }
}
