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
      "Prints what was asked for a task's limits and isolation beside what the kernel says is in force now, and said at the start. Of a task that has ended, what it said at the start is all there is.",
    )
    .argument('<TASK>')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, verify)
}

const more = `
A task that has given up more since its start is no difference. "unverifiable": nothing in the kernel says it.

Examples:
  holdfast verify web
  holdfast verify --json web | jq '.rows[] | select(.verdict == "differs")'

Exit codes: 0 if all that can be read back is in force; 1 if something is not, or was not at the start; 2 if it cannot be read, or there is
no such task.`

const exitCodes = { holds: 0, differs: 1, unread: 2 } as const

async function verify({ stateDir, json: asJson }: CommonOptions, word?: string): Promise<number> {
  return await withTask({ stateDir }, word, async ({ key, name, task }) => {
    const verification = await task.verify()
    if (asJson) printJson({ task: { key, name }, ...verification })
    else process.stdout.write(verificationTable(verification.rows, tableOptions()))
    return exitCodes[verification.verdict]
  })
}
