import { HoldfastError } from '../../index.ts'
import type { Position } from '../hcl/source.ts'

/**
 * `same`: as under the driver that the job names. `differs`: it runs, otherwise. `refused`: it does not
 * start. `unknown`: only Nomad, or the node, can say.
 */
export type Verdict = 'same' | 'unknown' | 'differs' | 'refused'

export type Finding = {
  /** As the job has it: `config.cap_add`, `resources.memory`. */
  readonly option: string
  readonly verdict: Verdict
  readonly at: Position
  readonly why: string | null
  /** What to change, in the job or in the plugin's configuration. */
  readonly change: string | null
}

const severity: readonly Verdict[] = ['same', 'unknown', 'differs', 'refused']

export function worst(verdicts: readonly Verdict[]): Verdict {
  return verdicts.toSorted((one, other) => severity.indexOf(other) - severity.indexOf(one))[0] ?? 'same'
}

/** One finding an option and place: the worst. In the order of the file. */
export function merged(findings: readonly Finding[]): Finding[] {
  const kept = new Map<string, Finding>()
  for (const finding of findings) {
    const key = `${finding.option} ${finding.at.line}:${finding.at.column}`
    const held = kept.get(key)
    if (held === undefined || worst([held.verdict, finding.verdict]) !== held.verdict) kept.set(key, finding)
  }
  return [...kept.values()].toSorted(
    (one, other) => one.at.line - other.at.line || one.at.column - other.at.column,
  )
}

/** What the driver itself would refuse, as a finding. Null where it does not. Throws what is no refusal. */
export function refusal(option: string, at: Position, judge: () => unknown): Finding | null {
  try {
    judge()
    return null
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    return refusedBy(error, option, at)
  }
}

export function refusedBy({ message, hint }: HoldfastError, option: string, at: Position): Finding {
  const why = message.startsWith(`${option}: `) ? message.slice(option.length + 2) : message
  return { option, verdict: 'refused', at, why, change: hint ?? null }
}
