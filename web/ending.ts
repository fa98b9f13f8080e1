import type { Row } from './types.ts'

/** Good, bad, or neither. */
export function tone({ state, cause, exitCode }: Row): string {
  if (state !== 'exited') return ''
  if (cause === 'exited') return exitCode === 0 ? 'good' : 'bad'
  return cause === 'shutdown' ? '' : 'bad'
}

export function ending({ cause, exitCode }: Row): string {
  if (cause === null) return ''
  return cause === 'exited' ? `exit code ${exitCode}` : cause
}
