import type { CommonOptions } from '../commands/subcommand.ts'
import { json } from '../output/escape.ts'
import { parseDuration } from '../parse/duration.ts'
import { parseCount } from '../parse/number.ts'
import { withSupervisor } from '../with-supervisor.ts'

export type PruneOptions = CommonOptions & {
  readonly older?: string
  readonly keep?: string
  readonly dryRun?: boolean
}

export async function prune(
  _operands: readonly string[],
  { stateDir, older, keep, dryRun = false, json: asJson }: PruneOptions,
): Promise<number> {
  const bounds = {
    ...(older !== undefined && { ageMs: parseDuration('--older', older) }),
    ...(keep !== undefined && { count: parseCount('--keep', keep) }),
  }
  return await withSupervisor({ stateDir }, async supervisor => {
    const removed = await supervisor.prune({ ...bounds, dryRun })
    if (asJson) process.stdout.write(`${json({ removed, dryRun })}\n`)
    else process.stdout.write(removed.map(key => `${key}\n`).join(''))
    return 0
  })
}
