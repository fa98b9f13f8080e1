import type { Command } from 'commander'
import type { Enforcement, HostReport, HostRow } from '../../index.ts'
import { escaped } from '../output/escape.ts'
import { printJson } from '../output/printing.ts'
import { table } from '../output/table.ts'
import { type Colors, colorsFor } from '../output/terminal.ts'
import { carriedOutBy, jsonOption, subcommand, type CommonOptions } from './subcommand.ts'

export function doctorCommand(): Command {
  const command = subcommand('doctor')
    .summary('show what this host can enforce')
    .description(
      'Shows what this host and user can enforce, what not, why, and what would change it. It starts tasks that do nothing, says what was enforced of each, and removes them again.',
    )
    .option('--conformance', 'prove it: run real tasks, and check each promise of each executor')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, doctor)
}

const more = `
Examples:
  holdfast doctor
  holdfast doctor --json | jq '.rows[] | select(.status != "yes")'
  holdfast doctor --conformance

Exit codes: 0 if a run without options gets all that is its default; 1 if it would be weakened or refused. With --conformance: 1 if a promise is broken.`

type DoctorOptions = CommonOptions & { readonly conformance?: boolean }

async function doctor(options: DoctorOptions): Promise<number> {
  if (options.conformance) return (await import('../conformance.ts')).proveConformance(options)
  const { fingerprint } = await import('../../index.ts')
  const report = await fingerprint()
  const { refused, weakened } = report.defaultRun
  const ok = refused === null && weakened.length === 0
  const colors = colorsFor(process.stdout)
  if (options.json) printJson({ ok, ...report })
  else
    process.stdout.write(`${modeLine(report)}\n${hostTable(report.rows, colors)}\n${verdict(report, colors)}`)
  return ok ? 0 : 1
}

const rights = { root: 'root', 'user-namespace': 'rootless, in user namespaces', none: 'no isolation' }

function modeLine({ mode }: HostReport): string {
  const manager = mode.systemd === null ? 'no systemd for this user' : `systemd (${mode.systemd})`
  return `cgroup ${mode.cgroup}, ${manager}, ${rights[mode.isolation]}\n`
}

function hostTable(rows: readonly HostRow[], colors: Colors): string {
  const shown = { yes: colors.green, no: colors.red, weakened: colors.yellow }
  const cells = rows.map(({ name, status, why }) => [name, shown[status](status), escaped(why)])
  return table(['WHAT', 'HERE', 'WHY'], cells, { colors })
}

function verdict(report: HostReport, colors: Colors): string {
  const short = report.rows.filter(({ status }) => status !== 'yes')
  const head = `${ofRuns(report, colors)}\n`
  if (short.length === 0) return `${head}${colors.green('This host can enforce everything.')}\n`
  const hints = [...new Set(short.flatMap(({ hint }) => hint ?? []))].map(hint => {
    const names = short.filter(row => row.hint === hint).map(({ name }) => name)
    return `  ${colors.yellow(names.join(', '))}: ${escaped(hint)}\n`
  })
  return hints.length === 0 ? head : `${head}What would change the rest:\n${hints.join('')}`
}

function ofRuns({ defaultRun: { refused, weakened }, basicRun }: HostReport, colors: Colors): string {
  if (refused !== null) {
    const rest =
      basicRun.refused === null ? 'Only --basic runs, without limits and isolation' : 'So is --basic'
    return `${colors.red('A run without options is refused here:')} ${escaped(refused.why)}. ${rest}.`
  }
  if (weakened.length > 0)
    return `${colors.yellow('A run without options is weakened here:')} ${listed(weakened)}.`
  return colors.green('A run without options gets all that is its default.')
}

function listed(weakened: readonly Enforcement[]): string {
  return weakened.map(({ name, status }) => `${name} ${status}`).join(', ')
}
