import type { Command } from 'commander'
import type { AuditReport } from '../../index.ts'
import { namingFlags } from '../flags/naming.ts'
import { escaped } from '../output/escape.ts'
import { printJson } from '../output/printing.ts'
import { table } from '../output/table.ts'
import { type Colors, colorsFor } from '../output/terminal.ts'
import { carriedOutBy, jsonOption, subcommand, type CommonOptions } from './subcommand.ts'

export function auditCommand(): Command {
  const command = subcommand('audit')
    .summary('find leftovers that no task owns')
    .description(
      'Lists what crashes have left behind and no task owns: cgroups, half-made records, allocations, FIFOs, mounts.',
    )
    .option('--fix', 'remove it (mounts are only listed)')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, audit)
}

const more = `
Examples:
  holdfast audit
  holdfast audit --fix
  holdfast audit --json | jq -r '.leftovers[].path'

Exit codes: 0 if nothing was found, or all of it was removed; 1 if something is left.`

type AuditOptions = CommonOptions & { readonly fix?: boolean }

async function audit({ stateDir, fix = false, json: asJson }: AuditOptions): Promise<number> {
  const library = await import('../../index.ts')
  const report = await namingFlags(() => library.audit({ fix, ...(stateDir !== undefined && { stateDir }) }))
  const left = report.leftovers.filter(({ fixed }) => !fixed).length
  if (asJson) printJson({ ok: left === 0, ...report })
  else process.stdout.write(text(report, fix, left, colorsFor(process.stdout)))
  return left === 0 ? 0 : 1
}

function text({ leftovers, stateDir }: AuditReport, fix: boolean, left: number, colors: Colors): string {
  if (leftovers.length === 0) return `${colors.green('Nothing is left over')} in ${escaped(stateDir)}.\n`
  const rows = leftovers.map(({ kind, path, why, fixed }) => [
    kind,
    fixed ? colors.green('removed') : colors.yellow('left'),
    escaped(path),
    escaped(why),
  ])
  const removable = leftovers.some(({ kind }) => kind !== 'mount')
  const next = !fix && left > 0 && removable ? '\nRemove it: holdfast audit --fix\n' : ''
  return `${table(['WHAT', 'NOW', 'WHERE', 'WHY'], rows, { colors })}${next}`
}
