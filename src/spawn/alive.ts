import type { Channel } from './channel/channel.ts'
import { fifoChannel } from './channel/fifo.ts'
import { pipeChannel } from './channel/pipe.ts'
import type { KeepAlive } from './keep-alive.ts'

/** By FIFOs, and by named pipes where there are none. */
export const channel: Channel = process.platform === 'win32' ? pipeChannel : fifoChannel

/** Whether the shim of this task directory lives: it alone holds `alive`. */
export function shimAlive(dir: string): boolean {
  return channel.isHeld(`${dir}/alive`)
}

/**
 * Calls `onGone` once, when the shim is gone; at the next tick if it already is. Returns the way to stop
 * watching.
 */
export function watchAlive(dir: string, keepAlive: KeepAlive, onGone: () => void): () => void {
  return channel.watch(`${dir}/alive`, keepAlive, onGone)
}

/** Whether somebody holds what lies at a path. What is not there is held by nobody. */
export function isHeld(path: string): boolean {
  return channel.isHeld(path)
}

/**
 * Calls `onGone` once, when nobody holds it any more; soon if nobody does now. Returns the way to stop
 * watching.
 */
export function watchHeld(path: string, keepAlive: KeepAlive, onGone: () => void): () => void {
  return channel.watch(path, keepAlive, onGone)
}
