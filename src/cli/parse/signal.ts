import { readSignal } from '../../signals.ts'
import { invalidArgument } from '../../invalid-argument.ts'

/** `TERM`, `SIGTERM`, `term`, `15`, `RTMIN+3` or `37`, as kill(1) has them. Throws INVALID_ARGUMENT. */
export function parseSignal(flag: string, text: string): NodeJS.Signals {
  const signal = readSignal(text)
  if (signal === null)
    throw invalidArgument(flag, text, "a signal's name or number, such as TERM, INT, 15 or RTMIN+3")
  return signal
}
