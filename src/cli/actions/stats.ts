import { HoldfastError, type Supervisor } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { type FoundTask, findTask } from '../find-task.ts'
import { json } from '../output/escape.ts'
import { colorsFor } from '../output/terminal.ts'
import { usageTable } from '../output/usage-table.ts'
import { isUp, running, sample } from '../samples.ts'
import { withSupervisor } from '../with-supervisor.ts'

export async function stats(
  [word]: readonly string[],
  { stateDir, json: asJson }: CommonOptions,
): Promise<number> {
  return await withSupervisor({ stateDir }, async supervisor => {
    const tasks = word === undefined ? await running(supervisor) : [await runningOne(supervisor, word)]
    const samples = (await Promise.all(tasks.map(sample))).filter(usage => usage !== null)
    const { isTTY, columns } = process.stdout
    if (asJson) process.stdout.write(`${json({ tasks: samples })}\n`)
    else if (samples.length === 0 && isTTY) process.stdout.write('No task is running.\n')
    else process.stdout.write(usageTable(samples, { colors: colorsFor(process.stdout), width: columns }))
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
