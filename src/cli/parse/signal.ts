import { readSignal } from '../../index.ts'
import { refused } from './refused.ts'

/** `TERM`, `SIGTERM`, `term`, `15`, `RTMIN+3` or `37`, as kill(1) has them. Throws INVALID_ARGUMENT. */
export function parseSignal(flag: string, text: string): NodeJS.Signals {
  const signal = readSignal(text)
  if (signal === null)
    throw refused(flag, text, "a signal's name or number, such as TERM, INT, 15 or RTMIN+3")
  return signal
}
