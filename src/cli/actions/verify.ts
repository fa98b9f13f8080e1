import type { CommonOptions } from '../commands/subcommand.ts'
import { findTask } from '../find-task.ts'
import { json } from '../output/escape.ts'
import { colorsFor } from '../output/terminal.ts'
import { verificationTable } from '../output/verification-table.ts'
import { withSupervisor } from '../with-supervisor.ts'

const exitCodes = { holds: 0, differs: 1, unread: 2 } as const

export async function verify(
  [word = '']: readonly string[],
  { stateDir, json: asJson }: CommonOptions,
): Promise<number> {
  return await withSupervisor({ stateDir }, async supervisor => {
    const { key, name, task } = await findTask(supervisor, word)
    const verification = await task.verify()
    if (asJson) process.stdout.write(`${json({ task: { key, name }, ...verification })}\n`)
    else {
      const { columns } = process.stdout
      const options = { colors: colorsFor(process.stdout), width: columns }
      process.stdout.write(verificationTable(verification.rows, options))
    }
    return exitCodes[verification.verdict]
  })
}
