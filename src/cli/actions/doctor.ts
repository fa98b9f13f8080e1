import { fingerprint, type HostRow } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { escaped, json } from '../output/escape.ts'
import { table } from '../output/table.ts'
import { type Colors, colorsFor } from '../output/terminal.ts'

export async function doctor(_operands: readonly string[], { json: asJson }: CommonOptions): Promise<number> {
  const { rows } = await fingerprint()
  const short = rows.filter(({ status }) => status !== 'yes')
  const colors = colorsFor(process.stdout)
  if (asJson) process.stdout.write(`${json({ ok: short.length === 0, rows })}\n`)
  else process.stdout.write(`${hostTable(rows, colors)}\n${verdict(short, colors)}`)
  return short.length === 0 ? 0 : 1
}

function hostTable(rows: readonly HostRow[], colors: Colors): string {
  const shown = { yes: colors.green, no: colors.red, weakened: colors.yellow }
  const cells = rows.map(({ name, status, why }) => [name, shown[status](status), escaped(why)])
  return table(['WHAT', 'HERE', 'WHY'], cells, { colors })
}

function verdict(short: readonly HostRow[], colors: Colors): string {
  if (short.length === 0) return `${colors.green('This host can enforce everything.')}\n`
  const mends = short.map(
    ({ name, mend }) => `  ${colors.yellow(name)}: ${escaped(mend ?? 'nothing can be done here')}\n`,
  )
  return `What would change the rest:\n${mends.join('')}`
}
