import type { Command, TaskUpdate } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { findTask } from '../find-task.ts'
import { escaped, json } from '../output/escape.ts'
import { enforcementText } from '../output/result-block.ts'
import { colorsFor } from '../output/terminal.ts'
import { namingFlags } from '../flags/naming.ts'
import { askedFor } from '../flags/options.ts'
import { UsageError } from '../usage-error.ts'
import { withSupervisor } from '../with-supervisor.ts'

export async function update([word = '']: readonly string[], options: CommonOptions): Promise<number> {
  const { resources, command } = askedFor(options)
  const change = { ...resources, ...rulesOf(command) }
  if (Object.keys(change).length === 0)
    throw new UsageError('no limit is given', { hint: 'For instance: holdfast update TASK --memory 512M' })
  return await withSupervisor({ stateDir: options.stateDir }, async supervisor => {
    const { key, name, task } = await findTask(supervisor, word)
    await namingFlags(() => task.update(change))
    const { enforcement } = task
    if (options.json) process.stdout.write(`${json({ task: { key, name }, id: task.id(), enforcement })}\n`)
    else {
      const shown = enforcement.filter(
        ({ kind, name }) => kind === 'limit' || (name === 'network' && 'network' in change),
      )
      const lines = enforcementText(shown, colorsFor(process.stdout))
      process.stdout.write([`${escaped(name)} [${key}]`, ...lines].map(line => `${line}\n`).join(''))
    }
    const asked = new Set(Object.keys(change))
    const short = enforcement.some(({ name: field, status }) => asked.has(field) && status !== 'enforced')
    return short ? 2 : 0
  })
}

/** Of the command's fields, the one that can change while it runs. */
function rulesOf({ network }: Partial<Command>): Pick<TaskUpdate, 'network'> {
  return typeof network === 'object' && 'allow' in network ? { network } : {}
}
