import { constants } from 'node:os'
import { refused } from './refused.ts'

/** `TERM`, `SIGTERM`, `term` or `15`, as kill(1) has them. Throws INVALID_ARGUMENT. */
export function parseSignal(flag: string, text: string): NodeJS.Signals {
  const upper = text.toUpperCase()
  const wanted = upper.startsWith('SIG') ? upper : `SIG${upper}`
  for (const [name, number] of Object.entries(constants.signals)) {
    if (name === wanted || String(number) === text) return name as NodeJS.Signals
  }
  throw refused(flag, text, "a signal's name or number, such as TERM, INT or 15")
}
