import type { Command } from 'commander'
import { printJson } from '../output/printing.ts'
import { parseDuration } from '../parse/duration.ts'
import { parseCount } from '../parse/number.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { carriedOutBy, jsonOption, subcommand, type CommonOptions } from './subcommand.ts'

export function pruneCommand(): Command {
  const command = subcommand('prune')
    .summary('remove ended tasks')
    .description(
      'Removes the records, logs and directories of ended tasks: those beyond the newest, those that are too old, all of them without either option.',
    )
    .option('--older <TIME>', 'those that ended longer ago than this')
    .option('--keep <COUNT>', 'all but the newest COUNT')
    .option('--dry-run', 'print what would be removed, and remove nothing')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, prune)
}

const more = `
Prints the keys of what it removes. Tasks that run are left alone.

Examples:
  holdfast prune --older 24h
  holdfast prune --keep 100 --dry-run

Exit codes: 0; 1 if something could not be removed.`

type PruneOptions = CommonOptions & {
  readonly older?: string
  readonly keep?: string
  readonly dryRun?: boolean
}

async function prune({ stateDir, older, keep, dryRun = false, json: asJson }: PruneOptions): Promise<number> {
  const bounds = {
    ...(older !== undefined && { ageMs: parseDuration('--older', older) }),
    ...(keep !== undefined && { count: parseCount('--keep', keep) }),
  }
  return await withSupervisor({ stateDir }, async supervisor => {
    const removed = await supervisor.prune({ ...bounds, dryRun })
    if (asJson) printJson({ removed, dryRun })
    else process.stdout.write(removed.map(key => `${key}\n`).join(''))
    return 0
  })
}
