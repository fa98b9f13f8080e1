import { isAbsolute } from 'node:path'
import { invalidArgument } from '../invalid-argument.ts'
import { randomUUID } from '../random.ts'

/**
 * A new task key: 8 characters of time, so that keys sort by age, and 6 of chance. Lower-case letters and
 * digits only, since it names directories, cgroups and host names.
 */
export function newTaskKey(now = Date.now()): string {
  return now.toString(36).padStart(8, '0').slice(-8) + chance()
}

/** When a task of this key was made, in milliseconds since the epoch. */
export function timeOfKey(key: string): number {
  return Number.parseInt(key.slice(0, 8), 36)
}

/**
 * Six characters. From a UUID, whose first 48 bits are of chance: Node gets those for many at a time from the
 * system, and bytes each time anew.
 */
function chance(): string {
  const bytes = Buffer.from(randomUUID().replace('-', '').slice(0, 12), 'hex')
  return bytes.reduce((text, byte) => text + (byte % 36).toString(36), '')
}

const keyPattern = /^[0-9a-z]{14}$/

export function isTaskKey(text: string): boolean {
  return keyPattern.test(text)
}

/** The opaque id of the executor interface: enough to find the task from any process of this host. */
export function formatTaskId(stateDir: string, key: string): string {
  return `holdfast:1:${key}:${stateDir}`
}

/** Throws INVALID_ARGUMENT for what is no id of ours. */
export function parseTaskId(id: unknown): { stateDir: string; key: string } {
  const [, key, stateDir] = (typeof id === 'string' && /^holdfast:1:([^:]*):([^\0]*)$/s.exec(id)) || []
  if (key === undefined || stateDir === undefined || !isTaskKey(key) || !isAbsolute(stateDir)) {
    throw invalidArgument('id', id, "what an executor's id() returned")
  }
  return { stateDir, key }
}
