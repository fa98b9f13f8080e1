import type { Command } from 'commander'
import type { Command as TaskCommand, TaskUpdate } from '../../index.ts'
import { namingFlags } from '../flags/naming.ts'
import { askedFor, takeFlags } from '../flags/options.ts'
import { escaped } from '../output/escape.ts'
import { printJson } from '../output/printing.ts'
import { enforcementText } from '../output/result-block.ts'
import { colorsFor } from '../output/terminal.ts'
import { HoldfastError } from '../../errors.ts'
import { withTask } from '../with-supervisor.ts'
import { carriedOutBy, subcommand, type CommonOptions } from './subcommand.ts'

export function updateCommand(): Command {
  const command = subcommand('update')
    .summary('change the limits of a running task')
    .description('Changes limits of a running task. Limits that are not named stay as they are.')
    .argument('<TASK>')
    .addHelpText('after', more)
  takeFlags(command, 'update')
  return carriedOutBy(command, update)
}

const more = `
All limits are changed, or none if the kernel refuses one.

Examples:
  holdfast update --memory 512M web
  holdfast update web --cpus 2 --pids 200

Exit codes: 0 if every limit is enforced; 2 if some are not; 1 if nothing was changed.`

async function update(options: CommonOptions, word?: string): Promise<number> {
  const { resources, command } = askedFor(options)
  const change = { ...resources, ...rulesOf(command) }
  if (Object.keys(change).length === 0)
    throw new HoldfastError('INVALID_ARGUMENT', 'no limit is given', {
      hint: 'For instance: holdfast update TASK --memory 512M',
    })
  return await withTask({ stateDir: options.stateDir }, word, async ({ key, name, task }) => {
    await namingFlags(() => task.update(change))
    const { enforcement } = task
    if (options.json) printJson({ task: { key, name }, id: task.id(), enforcement })
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
function rulesOf({ network }: Partial<TaskCommand>): Pick<TaskUpdate, 'network'> {
  return typeof network === 'object' && 'allow' in network ? { network } : {}
}
