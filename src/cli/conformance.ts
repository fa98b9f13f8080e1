import { adapters, conformance, type ConformanceRow } from '../conformance/index.ts'
import type { CommonOptions } from './commands/subcommand.ts'
import { escaped } from './output/escape.ts'
import { printJson } from './output/printing.ts'
import { table } from './output/table.ts'
import { type Colors, colorsFor } from './output/terminal.ts'

/** Runs the conformance suite; on a terminal each verdict is told as it comes. */
export async function proveConformance({ json: asJson }: CommonOptions): Promise<number> {
  const colors = colorsFor(process.stdout)
  const isWatched = process.stderr.isTTY && !asJson
  const report = await conformance({
    onRow: ({ adapter, check, status }) => {
      if (isWatched) process.stderr.write(`${status} ${adapter}: ${check}\n`)
    },
  })
  if (asJson) printJson({ ok: report.failed === 0, ...report })
  else {
    for (const { name } of adapters)
      process.stdout.write(
        `${tableOf(
          name,
          report.rows.filter(({ adapter }) => adapter === name),
          colors,
        )}\n`,
      )
    process.stdout.write(`${report.passed} passed, ${report.failed} failed, ${report.skipped} skipped\n`)
  }
  return report.failed === 0 ? 0 : 1
}

function tableOf(adapter: string, rows: readonly ConformanceRow[], colors: Colors): string {
  const shown = { passed: colors.green, failed: colors.red, skipped: colors.yellow }
  const cells = rows.map(({ group, check, status, why }) => [
    group,
    check,
    shown[status](status),
    why === null ? '' : escaped(why),
  ])
  return table([adapter.toUpperCase(), 'PROMISE', 'HERE', 'WHY'], cells, { colors })
}
