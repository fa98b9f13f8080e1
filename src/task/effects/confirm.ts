import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StartRecord } from '../../../machines/index.ts'
import { HoldfastError } from '../../errors.ts'
import { refuseIfStrict } from '../../platform/rows.ts'
import { shimAlive } from '../../spawn/alive.ts'
import { failpoint } from '../failpoint.ts'
import { confirmed, readAtStart, unconfirmed } from '../read-back.ts'
import { written } from '../stop-means.ts'
import type { TaskParts } from './task-parts.ts'

/**
 * Its rows say what the shim has read back, where that is less than was decided, or that it has read nothing.
 * For a start that somebody else has asked for, or that was cut short: one that is to be strict, and waits in
 * front of its program, is let go; or it is killed and its start refused, LIMIT_FAILED or ISOLATION_FAILED.
 */
export async function confirm(task: TaskParts, start: StartRecord): Promise<StartRecord> {
  const { dir, file, keeper } = task
  const { platform, strict } = file.spec.request
  try {
    compare(task)
  } catch (error) {
    if (strict) {
      refuse(dir, error)
      await keeper.killTree(start, { spareShim: true })
    }
    throw error
  }
  // Where it does not wait any more, that means nothing.
  if (strict && platform === 'linux') written(dir, 'go')
  return start
}

/**
 * The same for a task that waits in front of its program: it is let go, or its shim refuses the start, and
 * the program never runs. What neither word reaches has no shim any more, and cannot go on.
 */
export function confirmHeld(task: TaskParts): void {
  try {
    compare(task)
  } catch (error) {
    refuse(task.dir, error)
    throw error
  }
  failpoint('start-compared')
  written(task.dir, 'go')
}

function compare(task: TaskParts): void {
  const { file } = task
  const { enforcement, request } = file.spec
  const read = readAtStart(task)
  // The portable shim reads nothing back, and isolates nothing.
  if (read === null && request.platform !== 'linux') return
  if (read !== null && !read.some(({ verdict }) => verdict === 'differs')) return
  const rows = read === null ? unconfirmed(enforcement) : confirmed(read)
  file.confirm(rows)
  refuseIfStrict(rows, request.strict)
}

/**
 * For a start that another supervisor has asked for: the shim reads back after it has written the start
 * record, and before the program runs.
 */
export async function untilReadBack(dir: string): Promise<void> {
  const end = performance.now() + readBackMs
  const isOver = () => ['enforced.json', 'exit.json'].some(name => existsSync(`${dir}/${name}`))
  while (!isOver() && shimAlive(dir) && performance.now() < end) await sleep(5)
}

/** Milliseconds. Between the two, a task is set up, which can wait for a slow disk. */
const readBackMs = 5000

/** Its shim kills it, and writes the reason into its exit record. */
function refuse(dir: string, error: unknown): void {
  const stage = error instanceof HoldfastError && error.code === 'LIMIT_FAILED' ? 'limit' : 'isolation'
  written(dir, `refuse ${stage} ${shortened(error)}`)
}

/** A line of the shim's has 255 bytes at most. */
function shortened(error: unknown): string {
  const words = Buffer.from(error instanceof Error ? error.message : String(error)).subarray(0, 230)
  return words.toString('utf8').replaceAll(/[\p{Cc}\uFFFD]/gu, ' ')
}
