import { numberOfSignal, readSignal } from '../../index.ts'
import { invalidArgument } from '../../invalid-argument.ts'

/** A signal as jobs spell it: with or without SIG, in any case, or by its number. Throws INVALID_ARGUMENT. */
export function parseSignal(text: string): NodeJS.Signals {
  const signal = readSignal(text)
  if (signal === null) throw invalidArgument('signal', text, 'the name of a signal, such as SIGTERM')
  return signal
}

/** The number of a signal; 0 for one that has no name here (of another kernel). */
export function signalNumber(signal: string): number {
  return numberOfSignal(signal) ?? 0
}
