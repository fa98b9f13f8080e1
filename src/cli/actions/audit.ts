import { audit as findLeftovers, type AuditReport } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { namingFlags } from '../flags/naming.ts'
import { escaped, json } from '../output/escape.ts'
import { table } from '../output/table.ts'
import { type Colors, colorsFor } from '../output/terminal.ts'

export type AuditOptions = CommonOptions & { readonly fix?: boolean }

export async function audit(
  _operands: readonly string[],
  { stateDir, fix = false, json: asJson }: AuditOptions,
): Promise<number> {
  const report = await namingFlags(() => findLeftovers({ fix, ...(stateDir !== undefined && { stateDir }) }))
  const left = report.leftovers.filter(({ fixed }) => !fixed).length
  if (asJson) process.stdout.write(`${json({ ok: left === 0, ...report })}\n`)
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
