import { constants } from 'node:os'
import { refused } from '../config/attribute.ts'

/** A signal as jobs spell it: with or without SIG, in any case, or by its number. Throws INVALID_ARGUMENT. */
export function parseSignal(text: string): NodeJS.Signals {
  const upper = text.trim().toUpperCase()
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`
  if (Object.hasOwn(constants.signals, name)) return name as NodeJS.Signals
  const byNumber = /^\d+$/.test(upper) ? nameOf(Number(upper)) : undefined
  if (byNumber !== undefined) return byNumber
  throw refused('signal', text, 'the name of a signal, such as SIGTERM')
}

/** The number of a signal; 0 for one that has no name here (a real-time signal of another kernel). */
export function signalNumber(signal: string): number {
  const realTime = /^SIGRTMIN\+(\d+)$/.exec(signal)?.[1]
  return constants.signals[signal as NodeJS.Signals] ?? (realTime === undefined ? 0 : 34 + Number(realTime))
}

function nameOf(number: number): NodeJS.Signals | undefined {
  return Object.entries(constants.signals).find(([, own]) => own === number)?.[0] as
    NodeJS.Signals | undefined
}
