import { readFileSync } from 'node:fs'
import { HoldfastError } from '../errors.ts'
import { systemError } from '../system-error.ts'

/** What the state directory refused, as an error of stage `state`. `sentence` says what could not be done. */
export function storageError(error: unknown, sentence: string, path: string): HoldfastError {
  const { errno, denied, words, hint = '' } = systemError(error, 'state')
  return new HoldfastError(denied ? 'PERMISSION' : 'START_FAILED', `${sentence}: ${words}`, {
    stage: 'state',
    errno,
    path,
    cause: error,
    hint: storageHint(errno, denied, hint) || undefined,
  })
}

function storageHint(errno: string | undefined, denied: boolean, hint: string): string {
  if (!denied || errno === undefined) return hint
  if (umaskShutsOut()) return 'The umask of this program takes its own rights away: set one such as 022.'
  return `${hint} Choose a writable one with HOLDFAST_STATE_DIR, --state-dir or the stateDir option.`.trim()
}

function umaskShutsOut(): boolean {
  try {
    const [, mask = '0'] = /^Umask:\t(\d+)$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? []
    return (Number.parseInt(mask, 8) & 0o700) !== 0
  } catch {
    return false
  }
}
