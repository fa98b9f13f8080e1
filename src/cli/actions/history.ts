import { HoldfastError } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { findTask } from '../find-task.ts'
import { jsonLine } from '../output/escape.ts'
import { historyTable } from '../output/history-table.ts'
import { colorsFor } from '../output/terminal.ts'
import { withSupervisor } from '../with-supervisor.ts'

export async function history(
  [word = '']: readonly string[],
  { stateDir, json: asJson }: CommonOptions,
): Promise<number> {
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
    else {
      const { columns } = process.stdout
      process.stdout.write(historyTable(entries, { colors: colorsFor(process.stdout), width: columns }))
    }
    return 0
  })
}
