import type { Command } from 'commander'
import { carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function verifyCommand(): Command {
  const command = subcommand('verify')
    .summary('read back what is in force of a task')
    .description(
      "Prints what was asked for a task's limits and isolation beside what the kernel says is in force now.",
    )
    .argument('<TASK>')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/verify.ts')).verify)
}

const more = `
A task that has given up more since its start is no difference. "untold": nothing in the kernel says it.

Examples:
  holdfast verify web
  holdfast verify --json web | jq '.rows[] | select(.verdict == "differs")'

Exit codes: 0 if all that can be read back is in force; 1 if something is not; 2 if it cannot be read, or there is
no such task.`
