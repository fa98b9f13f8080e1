import { invalidArgument } from '../invalid-argument.ts'
import { numberOfSignal } from '../signals.ts'

/** The signal's number on this system. Throws INVALID_ARGUMENT, naming the field. */
export function signalNumber(signal: unknown, field = 'signal'): number {
  const number = typeof signal === 'string' ? numberOfSignal(signal) : null
  if (number === null) {
    throw invalidArgument(field, signal, "a signal's name, such as SIGTERM or SIGRTMIN+3")
  }
  return number
}

/** Milliseconds of grace. Throws INVALID_ARGUMENT. */
export function graceMilliseconds(grace: unknown, field = 'graceMs'): number {
  if (
    typeof grace !== 'number' ||
    !Number.isFinite(grace) ||
    grace < 0 ||
    grace > Number.MAX_SAFE_INTEGER / 2
  ) {
    throw invalidArgument(field, grace, 'milliseconds, 0 or more')
  }
  return Math.ceil(grace)
}
