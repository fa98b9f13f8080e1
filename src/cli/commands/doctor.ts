import type { Command } from 'commander'
import { carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function doctorCommand(): Command {
  const command = subcommand('doctor')
    .summary('show what this host can enforce')
    .description(
      'Shows what this host and user can enforce, what not, why, and what would change it. Changes nothing.',
    )
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/doctor.ts')).doctor)
}

const more = `
Examples:
  holdfast doctor
  holdfast doctor --json | jq '.rows[] | select(.status != "yes")'

Exit codes: 0 if everything can be enforced; 1 if a run would get less.`
