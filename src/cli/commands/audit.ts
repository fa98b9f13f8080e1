import type { Command } from 'commander'
import { carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function auditCommand(): Command {
  const command = subcommand('audit')
    .summary('find leftovers that no task owns')
    .description(
      'Lists what crashes have left behind and no task owns: cgroups, half-made records, allocations, FIFOs, mounts.',
    )
    .option('--fix', 'remove it (mounts are only listed)')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/audit.ts')).audit)
}

const more = `
Examples:
  holdfast audit
  holdfast audit --fix
  holdfast audit --json | jq -r '.leftovers[].path'

Exit codes: 0 if there is nothing, or all of it was removed; 1 if something is left.`
