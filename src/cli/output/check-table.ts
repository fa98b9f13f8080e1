import type { Difference, Finding, JobReport, TaskReport, Verdict } from '../../nomad/check/index.ts'
import { escaped } from './escape.ts'
import { table, type TableOptions } from './table.ts'

type Options = TableOptions & { readonly differences: readonly Difference[] }

/** What `nomad-check` found, task by task. What is the same is one line. */
export function checkTable(path: string, report: JobReport, options: Options): string {
  const { differences } = options
  const unseen = differences.filter(({ shown }) => !shown).map(({ what }) => what.replaceAll('`', ''))
  return [
    ...report.tasks.map(task => taskPart(path, task, options)),
    `${verdictLine(report, options)}\n`,
    `No job file shows: ${unseen.join('; ')}. See docs/nomad.md, "From exec in five minutes".\n`,
  ].join('')
}

function taskPart(
  path: string,
  { group, task, driver, at, verdict, options }: TaskReport,
  to: Options,
): string {
  const { colors } = to
  const place = `${path}:${at.line}:${at.column}`
  const head = `${colors.bold(escaped(`${group}/${task}`))}  ${escaped(driver)}  ${escaped(place)}\n`
  if (verdict === 'other driver') return `${head}  not a driver that holdfast stands in for\n\n`
  const same = options.filter(option => option.verdict === 'same').map(({ option }) => option)
  const others = options.filter(option => option.verdict !== 'same')
  const sameLine = same.length === 0 ? '' : `  same: ${escaped([...new Set(same)].join(', '))}\n`
  return `${head}${sameLine}${otherLines(others, to)}\n`
}

function otherLines(findings: readonly Finding[], { colors }: Options): string {
  if (findings.length === 0) return ''
  const shown = { same: colors.green, unknown: colors.yellow, differs: colors.yellow, refused: colors.red }
  const rows = findings.map(({ option, verdict, at, why, change }) => [
    `  ${at.line}:${at.column}`,
    shown[verdict](verdict),
    escaped(option),
    escaped(change === null ? (why ?? '') : `${why}; ${change}`),
  ])
  return table(['  WHERE', 'VERDICT', 'OPTION', 'WHY; WHAT TO CHANGE'], rows, { colors })
}

const sentences: Readonly<Record<Verdict, string>> = {
  same: 'Nothing that the file shows would behave otherwise.',
  unknown: 'Nothing that the file shows would behave otherwise, but for what it does not say.',
  differs: 'Some of it would behave otherwise.',
  refused: 'Some of it would not start as it is.',
}

function verdictLine({ verdict }: JobReport, { colors }: Options): string {
  const color = { same: colors.green, unknown: colors.green, differs: colors.yellow, refused: colors.red }
  return color[verdict](sentences[verdict])
}
