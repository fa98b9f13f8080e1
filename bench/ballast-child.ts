import { holdfast, isolated } from './holdfast.ts'
import { bareSpawn } from './peers/bare-spawn.ts'
import { type Effort, interleaved } from './rounds.ts'

/** What ballast.ts asks: one round each. */
export type BallastRequest = Effort & { readonly last: boolean }

const [megabytes = '0', stateRoot = '/tmp'] = process.argv.slice(2)
// Filled, so that every page is there: a fork copies the tables of what is there, not of what is promised.
const ballast = Buffer.alloc(Number(megabytes) * 1024 * 1024, 1)

const platform = process.platform === 'linux' && process.geteuid?.() === 0 ? 'linux' : 'basic'
const ours = holdfast(isolated, '', { platform, durability: 'host' }, stateRoot)

process.on('message', (request: BallastRequest) => {
  answer(request).catch((error: unknown) => {
    throw error
  })
})

async function answer(request: BallastRequest): Promise<void> {
  const figures = await interleaved([bareSpawn, ours], request)
  process.send?.(Object.fromEntries(figures))
  if (!request.last) return
  await ours.close()
  // Read last, so that nothing may find the ballast unused and free it.
  process.exitCode = ballast.length === Number(megabytes) * 1024 * 1024 ? 0 : 1
  process.disconnect()
}
