import type { Command } from 'commander'
import { HoldfastError } from '../../errors.ts'
import type { Supervisor } from '../../index.ts'
import { type FoundTask, findTask } from '../find-task.ts'
import { printJson } from '../output/printing.ts'
import { tableOptions } from '../output/table.ts'
import { usageTable } from '../output/usage-table.ts'
import { isUp, running, sample } from '../samples.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { carriedOutBy, jsonOption, subcommand, type CommonOptions } from './subcommand.ts'

export function statsCommand(): Command {
  const command = subcommand('stats')
    .summary('show what tasks use')
    .description('Shows once what a task, or every task that runs, uses. What cannot be known is "-".')
    .argument('[TASK]')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, stats)
}

const more = `
CPU and IO are totals since the start; THROTTLED is the time a --cpus limit held the task back.

Examples:
  holdfast stats
  holdfast stats --json web | jq '.tasks[0].memoryBytes'

Exit codes: 0; 1 if there is no such task or it does not run.`

/** What `top` prints, too, where nobody watches. */
export async function stats({ stateDir, json: asJson }: CommonOptions, word?: string): Promise<number> {
  return await withSupervisor({ stateDir }, async supervisor => {
    const tasks = word === undefined ? await running(supervisor) : [await runningOne(supervisor, word)]
    const samples = (await Promise.all(tasks.map(sample))).filter(usage => usage !== null)
    if (asJson) printJson({ tasks: samples })
    else if (samples.length === 0 && process.stdout.isTTY) process.stdout.write('No task is running.\n')
    else process.stdout.write(usageTable(samples, tableOptions()))
    return 0
  })
}

async function runningOne(supervisor: Supervisor, word: string): Promise<FoundTask> {
  const found = await findTask(supervisor, word)
  if (isUp(found.task.state)) return found
  throw new HoldfastError(
    'INVALID_STATE',
    `task ${found.name} (${found.key}) is ${found.task.state}: it uses nothing`,
    {
      hint: `\`holdfast wait --json ${found.key}\` shows what it has used.`,
    },
  )
}
