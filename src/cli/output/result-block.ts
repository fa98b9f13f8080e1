import type { Enforcement, WaitResult } from '../../index.ts'
import { endingText } from './ending.ts'
import { enforcementLines } from './enforcement.ts'
import { escaped } from './escape.ts'
import type { Colors } from './terminal.ts'
import { bytesText, timeText } from './units.ts'

export type EndedTask = {
  readonly name: string
  readonly key: string
  readonly result: WaitResult
  readonly enforcement: readonly Enforcement[]
}

/** How a task ended, what it used, and under which limits and isolation. */
export function resultBlock({ name, key, result, enforcement }: EndedTask, colors: Colors): string {
  const good = result.successful ? colors.green : colors.red
  return lines([
    `${good('holdfast:')} ${colors.bold(escaped(name))} ${good(endingText(result))} ${colors.dim(`[${key}]`)}`,
    ...usedLine(result, colors),
    ...enforcementText(enforcement, colors),
    ...(result.error === null ? [] : [labelled('error', escaped(result.error.message), colors.red)]),
    ...(result.error?.hint === undefined ? [] : [labelled('hint', escaped(result.error.hint), colors.cyan)]),
    ...(result.logsComplete ? [] : [labelled('logs', 'may lack the last of what it printed', colors.yellow)]),
  ])
}

/** What a task that goes on got less of than was asked for; empty when nothing. */
export function shortfalls(enforcement: readonly Enforcement[], colors: Colors): string {
  const short = enforcementText(enforcement, colors).slice(1)
  return short.length === 0
    ? ''
    : lines([colors.yellow('holdfast: this host cannot enforce all that was asked for'), ...short])
}

function usedLine({ usage, oomKilled }: WaitResult, colors: Colors): string[] {
  const killed = oomKilled ? ['the kernel killed a process of it for memory'] : []
  if (usage === null) return killed.map(text => labelled('used', text, colors.dim))
  const { cpuUserMs, cpuSystemMs, maxRssBytes } = usage
  const used = [
    `${timeText(cpuUserMs + cpuSystemMs)} of cpu`,
    `${bytesText(maxRssBytes)} of memory at most`,
    ...killed,
  ]
  return [labelled('used', used.join(', '), colors.dim)]
}

/** The rows as lines of text. */
export function enforcementText(enforcement: readonly Enforcement[], colors: Colors): string[] {
  return enforcementLines(enforcement).flatMap(({ label, text, hint }) => [
    labelled(label, escaped(text), label === 'enforced' ? colors.dim : colors.yellow),
    ...(hint === null ? [] : [labelled('hint', escaped(hint), colors.cyan)]),
  ])
}

function labelled(label: string, text: string, color: (text: string) => string): string {
  return `  ${color(label.padEnd(8))}  ${text}`
}

function lines(texts: readonly string[]): string {
  return texts.map(text => `${text}\n`).join('')
}
