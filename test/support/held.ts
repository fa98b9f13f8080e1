import { readdirSync } from 'node:fs'
import { statOfAll } from './process-stat.ts'

export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** Zombies included: they are what a leak of children looks like. */
export function childrenOf(parent: number): number[] {
  return statOfAll()
    .filter(stat => stat.parent === parent)
    .map(({ pid }) => pid)
}

/**
 * Of all handles that keep the loop running, and of the process itself. Only those of a waiting program are
 * counted.
 */
export function listenersOfHandles(): number {
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles: () => unknown[] }
  return [process, ...handles.call(process).filter(isEmitter)].reduce(
    (sum, emitter) =>
      sum + emitter.eventNames().reduce((inner, event) => inner + emitter.listenerCount(event), 0),
    0,
  )
}

function isEmitter(handle: unknown): handle is NodeJS.EventEmitter {
  return typeof (handle as Partial<NodeJS.EventEmitter>).eventNames === 'function'
}
