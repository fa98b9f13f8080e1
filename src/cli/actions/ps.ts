import type { CommonOptions } from '../commands/subcommand.ts'
import { errorDocument, errorText } from '../output/error-report.ts'
import { json } from '../output/escape.ts'
import { taskTable } from '../output/task-table.ts'
import { colorsFor } from '../output/terminal.ts'
import { factsOf } from '../task-facts.ts'
import { parseFilters } from '../parse/filter.ts'
import { withSupervisor } from '../with-supervisor.ts'

export type PsOptions = CommonOptions & {
  readonly all?: boolean
  readonly filter?: readonly string[]
  readonly quiet?: boolean
}

export async function ps(
  _operands: readonly string[],
  { stateDir, all: everything, filter = [], json: asJson, quiet }: PsOptions,
): Promise<number> {
  const fits = parseFilters(filter)
  // Who asks for a state wants to see it.
  const all = everything || fits.namesState
  return await withSupervisor({ stateDir }, async supervisor => {
    const { quarantined } = await supervisor.openAll()
    const facts = await Promise.all([...supervisor.tasks].map(([key, task]) => factsOf(key, task)))
    const tasks = facts.filter(task => (all || task.state !== 'exited') && fits(task))
    if (asJson) {
      const unusable = quarantined.map(({ key, error }) => ({ key, error: errorDocument(error) }))
      process.stdout.write(`${json({ tasks, quarantined: unusable })}\n`)
      return 0
    }
    const { isTTY, columns } = process.stdout
    if (quiet) process.stdout.write(tasks.map(({ key }) => `${key}\n`).join(''))
    else if (tasks.length === 0 && isTTY && filter.length === 0) process.stdout.write(nothing(facts.length))
    else process.stdout.write(taskTable(tasks, { all, colors: colorsFor(process.stdout), width: columns }))
    for (const { key, error } of quarantined) process.stderr.write(`${key}: ${errorText(error)}`)
    return 0
  })
}

function nothing(ended: number): string {
  const next =
    ended === 0
      ? 'Start one: holdfast run --detach -- sleep 60'
      : `${ended} ${ended === 1 ? 'has' : 'have'} ended: holdfast ps --all`
  return `No task is running. ${next}\n`
}
