import type { Command } from 'commander'
import { errorDocument, errorText } from '../output/error-report.ts'
import { printJson } from '../output/printing.ts'
import { taskTable } from '../output/task-table.ts'
import { tableOptions } from '../output/table.ts'
import { parseFilters } from '../parse/filter.ts'
import { factsOf } from '../task-facts.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { append, carriedOutBy, jsonOption, subcommand, type CommonOptions } from './subcommand.ts'

export function psCommand(): Command {
  const command = subcommand('ps')
    .summary('list tasks')
    .description('Lists the tasks that run.')
    .option('-a, --all', 'those that have ended, too')
    .option(
      '--filter <FIELD=VALUE>',
      'only those with label=NAME[=VALUE], state=STATE or name=NAME; several of one field: any of them; of different fields: all of them (repeatable)',
      append,
    )
    .option('-q, --quiet', 'their keys alone, one a line')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, ps)
}

const more = `
Examples:
  holdfast ps
  holdfast ps --filter label=app=web --filter state=running
  holdfast ps -q --filter label=app=web | xargs -n 1 holdfast stop
  holdfast ps --all --json | jq -r '.tasks[] | select(.cause == "oom") | .name'

Exit codes: 0; 1 if the state directory could not be read.`

type PsOptions = CommonOptions & {
  readonly all?: boolean
  readonly filter?: readonly string[]
  readonly quiet?: boolean
}

async function ps({
  stateDir,
  all: everything,
  filter = [],
  json: asJson,
  quiet,
}: PsOptions): Promise<number> {
  const fits = parseFilters(filter)
  // Who asks for a state wants to see it.
  const all = everything || fits.namesState
  return await withSupervisor({ stateDir }, async supervisor => {
    const { quarantined } = await supervisor.openAll()
    const facts = await Promise.all([...supervisor.tasks].map(([key, task]) => factsOf(key, task)))
    const tasks = facts.filter(task => (all || task.state !== 'exited') && fits(task))
    if (asJson) {
      const unusable = quarantined.map(({ key, error }) => ({ key, error: errorDocument(error) }))
      printJson({ tasks, quarantined: unusable })
      return 0
    }
    if (quiet) process.stdout.write(tasks.map(({ key }) => `${key}\n`).join(''))
    else if (tasks.length === 0 && process.stdout.isTTY && filter.length === 0)
      process.stdout.write(nothing(facts.length))
    else process.stdout.write(taskTable(tasks, { all, ...tableOptions() }))
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
