import { constants } from 'node:os'
import { type ExitRecord, type Outcome, outcomeOf } from '../../machines/index.ts'

/** How a task has ended, by its exit record. */
export function recordedOutcome(record: ExitRecord): Outcome {
  return outcomeOf(record, errnoName)
}

/** From node:os rather than node:util: libuv's own table lacks what only exec and mount say, such as ENOEXEC. */
export function errnoName(errno: number): string {
  return errnoNames.get(errno) ?? `errno ${errno}`
}

const errnoNames = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))
