import type { Enforcement } from '../../index.ts'
import { shortfalls } from '../../shortfalls.ts'
import { bytesText, timeText } from './units.ts'

export type EnforcementLine = {
  readonly label: 'enforced' | 'weakened' | 'skipped'
  readonly text: string
  readonly hint: string | null
}

/**
 * One line for all that holds, then one for each reason why something does not. What was loosened on purpose
 * is not news.
 */
export function enforcementLines(rows: readonly Enforcement[]): EnforcementLine[] {
  const held = rows.filter(({ status }) => status === 'enforced')
  const short = shortfalls(rows)
  const reasons = new Set(short.map(({ status, reason }) => `${status}\0${reason}`))
  return [
    {
      label: 'enforced',
      text: held.length === 0 ? 'nothing: neither limits nor isolation' : summary(held),
      hint: null,
    },
    ...[...reasons].map(key =>
      shortLine(short.filter(({ status, reason }) => `${status}\0${reason}` === key)),
    ),
  ]
}

function shortLine(rows: readonly Enforcement[]): EnforcementLine {
  const [first] = rows
  return {
    label: first?.status === 'weakened' ? 'weakened' : 'skipped',
    text: `${summary(rows)}: ${first?.reason ?? 'for no reason given'}`,
    hint: first?.hint ?? null,
  }
}

function summary(rows: readonly Enforcement[]): string {
  const namespaces = rows.filter(
    ({ name, requested }) => name.startsWith('namespace.') && requested === 'own',
  )
  const own = namespaces.map(({ name }) => name.slice('namespace.'.length)).join('+')
  const others = rows.filter(row => !namespaces.includes(row)).flatMap(phrase)
  return [...others, ...(own === '' ? [] : [`own ${own} namespaces`])].join(', ')
}

function phrase({ name, requested }: Enforcement): string[] {
  const known = phrases[name]
  return known === undefined ? [`${name} ${requested}`] : [known(requested)]
}

const phrases: Readonly<Record<string, (requested: string) => string>> = {
  cpu: requested => `${requested} cpu shares`,
  cpuLimit: requested => `${requested} cpus`,
  memoryBytes: requested => `memory ${bytesText(Number(requested))}`,
  memoryMB: requested => `memory ${requested} MiB`,
  wallTimeMs: requested => `time ${timeText(Number(requested))}`,
  inside: requested => `inside ${requested}`,
  user: requested => `user ${requested}`,
  root: requested => (requested === 'own' ? 'own root' : `root ${requested}`),
  capabilities: requested => (requested === 'none' ? 'no capabilities' : `capabilities ${requested}`),
  noNewPrivileges: () => 'no new privileges',
  seccomp: () => 'seccomp',
  landlock: () => 'Landlock',
  diskBytes: requested => `disk ${bytesText(Number(requested))}`,
  outputBytes: requested => `output ${bytesText(Number(requested))}`,
  network: requested => (requested === 'none' ? 'no network' : `network ${requested}`),
  devices: requested => (requested === 'the usual six' ? 'minimal /dev' : `devices ${requested}`),
}
