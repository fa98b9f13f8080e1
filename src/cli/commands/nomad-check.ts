import type { Command } from 'commander'
import { readFileSync } from 'node:fs'
import type { JobReport } from '../../nomad/check/index.ts'
import { invalidArgument } from '../../invalid-argument.ts'
import { fileRefused } from '../file-refused.ts'
import { checkTable } from '../output/check-table.ts'
import { printJson } from '../output/printing.ts'
import { tableOptions } from '../output/table.ts'
import { append, carriedOutBy, jsonOption, subcommand, type CommonOptions } from './subcommand.ts'

export function nomadCheckCommand(): Command {
  const command = subcommand('nomad-check')
    .summary('say what of a Nomad job would behave otherwise')
    .description(
      'Reads a Nomad job file and says of each task with the driver exec, java, raw_exec or holdfast what would be the same with `driver = "holdfast"`, what not, and what to change. Asks no agent.',
    )
    .argument('<JOB_FILE>', 'HCL, or with the name ending in .json the JSON of `nomad job inspect`')
    .option('--agent <FILE>', 'the agent\'s configuration, for what its plugin "holdfast" allows jobs')
    .option('--var <NAME=VALUE>', 'a variable of the job file; may be repeated', append)
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, nomadCheck)
}

const more = `
"unknown" depends on what the file does not say. Without --agent the plugin's defaults hold, which allow jobs little.

Examples:
  holdfast nomad-check web.nomad.hcl
  holdfast nomad-check --agent /etc/nomad.d/nomad.hcl --var image_tag=7 web.nomad.hcl
  nomad job inspect web > web.json && holdfast nomad-check --json web.json | jq '.tasks[].options[] | select(.change)'

Exit codes: 0 if nothing would behave otherwise; 1 if something would, or be refused; 2 if the file cannot be read.`

type Options = CommonOptions & { readonly agent?: string; readonly var?: readonly string[] }

async function nomadCheck({ agent, var: given = [], json: asJson }: Options, path = ''): Promise<number> {
  const { checkJob, differences, pluginConfig } = await import('../../nomad/check/index.ts')
  const variables = new Map(given.map(variable))
  const allowed = agent === undefined ? undefined : pluginConfig(file('--agent', agent))
  const report = checkJob(file('JOB_FILE', path), allowed, variables)
  if (asJson) printJson({ file: path, ...report })
  else process.stdout.write(checkTable(path, report, { ...tableOptions(), differences }))
  return exitCodes[report.verdict]
}

const exitCodes: Readonly<Record<JobReport['verdict'], number>> = {
  same: 0,
  unknown: 0,
  differs: 1,
  refused: 1,
}

function file(flag: string, path: string): { name: string; text: string } {
  try {
    return { name: path, text: readFileSync(path, 'utf8') }
  } catch (error) {
    throw fileRefused(flag, path, 'read', error)
  }
}

function variable(text: string): [string, string] {
  const [, name, value] = /^([^=]+)=([^]*)$/.exec(text) ?? []
  if (name === undefined || value === undefined) throw invalidArgument('--var', text, 'NAME=VALUE')
  return [name, value]
}
