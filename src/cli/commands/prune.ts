import type { Command } from 'commander'
import { carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

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
  return carriedOutBy(command, async () => (await import('../actions/prune.ts')).prune)
}

const more = `
Prints the keys of what it removes. Tasks that run are left alone.

Examples:
  holdfast prune --older 24h
  holdfast prune --keep 100 --dry-run

Exit codes: 0; 1 if something could not be removed.`
