import type { KeepAlive } from '../keep-alive.ts'

/** What a shim understands; see docs/native-protocol.md. Signals are numbers, times milliseconds. */
export type ControlLine =
  | `signal ${number}`
  | `stop ${number} ${number}${'' | ' leader'}`
  | 'kill'
  | 'go'
  | `wall ${number}`
  | `output ${number}`
  | `oom ${'task' | 'process'}`
  | `size ${number} ${number}`
  | 'end'
  | 'egress'
  | `refuse ${'limit' | 'isolation'} ${string}`

/**
 * How a living process is told from a dead one, and spoken to, by a path: the kernel lets go of what that
 * process holds there however it ends, so that no pid is compared.
 */
export interface Channel {
  /** Whether somebody holds it. Throws INVALID_STATE when that cannot be found out now. */
  isHeld(path: string): boolean
  /**
   * Calls `onGone` once, when nobody holds it any more; soon if nobody does now. Returns the way to stop
   * watching.
   */
  watch(path: string, keepAlive: KeepAlive, onGone: () => void): () => void
  /** Writes one line; false when nobody is there to read it. */
  send(path: string, line: ControlLine): boolean
}
