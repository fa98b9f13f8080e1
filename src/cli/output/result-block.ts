import type { Enforcement, LimitsHit, WaitResult } from '../../index.ts'
import { endingText, memoryText } from './ending.ts'
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
    ...hitLine(result.limitsHit, colors),
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

function usedLine({ usage, oomKilled, cause }: WaitResult, colors: Colors): string[] {
  const killed = oomKilled ? [killedText(cause === 'oom' ? '' : memoryText(usage))] : []
  if (usage === null) return killed.map(text => labelled('used', text, colors.dim))
  const { cpuUserMs, cpuSystemMs, maxRssBytes, memoryPeakBytes } = usage
  const used = [
    `${timeText(cpuUserMs + cpuSystemMs)} of cpu`,
    `${bytesText(memoryPeakBytes ?? maxRssBytes)} of memory at most`,
    ...killed,
  ]
  return [labelled('used', used.join(', '), colors.dim)]
}

/** `memory`: where the first line has not told of it. */
function killedText(memory: string): string {
  return `the kernel killed a process of it for memory${memory && ` (${memory})`}`
}

/** Which limits held it up; nothing where none did. OOM kills stand with what it used. */
function hitLine(hit: LimitsHit, colors: Colors): string[] {
  const { pidsRefused, memoryHigh, throttledMs, egressDenied, logBytesDropped } = hit
  const said = [
    pidsRefused && `${times(pidsRefused)} refused another process`,
    memoryHigh && `${times(memoryHigh)} out of memory to take`,
    throttledMs && `kept from the processor for ${timeText(throttledMs)}`,
    egressDenied && `${times(egressDenied)} refused a connection`,
    logBytesDropped && `${bytesText(logBytesDropped)} of output not kept`,
  ].filter(text => typeof text === 'string')
  return said.length === 0 ? [] : [labelled('limits', said.join(', '), colors.yellow)]
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`)

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
