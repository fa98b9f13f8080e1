import type { Command } from 'commander'
import { carriedOutBy, subcommand } from './subcommand.ts'

export function historyCommand(): Command {
  const command = subcommand('history')
    .summary('print the journal of a task')
    .description(
      "Prints a task's journal: its changes of state with their causes, and the signals it was sent.",
    )
    .argument('<TASK>')
    .option('--json', 'print one JSON document per line and nothing else')
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/history.ts')).history)
}

const more = `
Examples:
  holdfast history web
  holdfast history --json web | jq -r 'select(.to == "exited") | .cause'

Exit codes: 0; 1 if there is no such task.`
