import type { Command } from 'commander'
import { carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function doctorCommand(): Command {
  const command = subcommand('doctor')
    .summary('show what this host can enforce')
    .description(
      'Shows what this host and user can enforce, what not, why, and what would change it: starts tasks that do nothing, and says what became of them. Removes them again.',
    )
    .option('--conformance', 'prove it: run real tasks, and check each promise of each executor')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/doctor.ts')).doctor)
}

const more = `
Examples:
  holdfast doctor
  holdfast doctor --json | jq '.rows[] | select(.status != "yes")'
  holdfast doctor --conformance

Exit codes: 0 if a run without options gets all that is its default; 1 if it would be weakened or refused. With --conformance: 1 if a promise is broken.`
