import type { Command } from 'commander'
import type { GraphFormat } from '../../index.ts'
import { ChoiceOption } from '../flags/choice-option.ts'
import { namingFlags } from '../flags/naming.ts'
import { carriedOutBy, subcommand, type CommonOptions } from './subcommand.ts'

export function graphCommand(): Command {
  const command = subcommand('graph')
    .summary('print the state chart of a task')
    .description('Prints the state chart that every task goes through, drawn from the very machine.')
    .addOption(
      new ChoiceOption('--format <FORMAT>', 'mermaid, json (for Stately Studio) or svg', formats).default(
        'mermaid',
      ),
    )
    .addHelpText('after', more)
  return carriedOutBy(command, graph)
}

const formats: readonly GraphFormat[] = ['mermaid', 'json', 'svg']

const more = `
Examples:
  holdfast graph
  holdfast graph --format svg > task.svg

Exit codes: 0; 1 for a format that is none.`

async function graph({ format }: CommonOptions & { readonly format: GraphFormat }): Promise<number> {
  const { taskGraph } = await import('../../index.ts')
  process.stdout.write(await namingFlags(() => taskGraph(format)))
  return 0
}
