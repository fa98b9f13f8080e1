import type { Command } from 'commander'
import { HoldfastError } from '../../errors.ts'
import { findTask } from '../find-task.ts'
import { jsonLine } from '../output/escape.ts'
import { historyTable } from '../output/history-table.ts'
import { tableOptions } from '../output/table.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { carriedOutBy, subcommand, type CommonOptions } from './subcommand.ts'

export function historyCommand(): Command {
  const command = subcommand('history')
    .summary('print the journal of a task')
    .description(
      "Prints a task's journal: its changes of state with their causes, and the signals it was sent.",
    )
    .argument('<TASK>')
    .option('--json', 'print one JSON document per line and nothing else')
    .addHelpText('after', more)
  return carriedOutBy(command, history)
}

const more = `
Examples:
  holdfast history web
  holdfast history --json web | jq -r 'select(.to == "exited") | .cause'

Exit codes: 0; 1 if there is no such task.`

async function history({ stateDir, json: asJson }: CommonOptions, word = ''): Promise<number> {
  return await withSupervisor({ stateDir }, async supervisor => {
    // What is quarantined cannot be used; its journal may still be read.
    const key = await findTask(supervisor, word).then(
      found => found.key,
      (error: unknown) => {
        if (error instanceof HoldfastError && error.code === 'STATE_CORRUPT') return word
        throw error
      },
    )
    const entries = await supervisor.history(key)
    if (asJson) for (const entry of entries) process.stdout.write(`${jsonLine(entry)}\n`)
    else process.stdout.write(historyTable(entries, tableOptions()))
    return 0
  })
}
