import type { Command } from 'commander'
import { printJson } from '../output/printing.ts'
import { tableOptions } from '../output/table.ts'
import { verificationTable } from '../output/verification-table.ts'
import { withTask } from '../with-supervisor.ts'
import { carriedOutBy, jsonOption, subcommand, type CommonOptions } from './subcommand.ts'

export function verifyCommand(): Command {
  const command = subcommand('verify')
    .summary('read back what is in force of a task')
    .description(
      'Reads back from the kernel which limits and which isolation of a task are in force, and prints them beside what was asked for and what was in force at the start. A task that has ended shows its start alone.',
    )
    .argument('<TASK>')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, verify)
}

const more = `
A task that has given up privileges since its start does not differ. "unverifiable": the kernel does not show it.

Examples:
  holdfast verify web
  holdfast verify --json web | jq '.rows[] | select(.verdict == "differs")'

Exit codes: 0 if everything that can be read back is in force; 1 if something is not, or was not at the start;
2 if nothing can be read, or there is no such task.`

const exitCodes = { holds: 0, differs: 1, unread: 2 } as const

async function verify({ stateDir, json: asJson }: CommonOptions, word?: string): Promise<number> {
  return await withTask({ stateDir }, word, async ({ key, name, task }) => {
    const verification = await task.verify()
    if (asJson) printJson({ task: { key, name }, ...verification })
    else process.stdout.write(verificationTable(verification.rows, tableOptions()))
    return exitCodes[verification.verdict]
  })
}
