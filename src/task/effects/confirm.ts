import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StartRecord } from '../../../machines/index.ts'
import { HoldfastError } from '../../errors.ts'
import { refuseIfStrict } from '../../platform/rows.ts'
import { shimAlive } from '../../spawn/alive.ts'
import { confirmed, readAtStart, unconfirmed } from '../read-back.ts'
import { written } from '../stop-means.ts'
import type { TaskParts } from './task-parts.ts'

/**
 * Its rows say what the shim has read back, where that is less than was decided, or that it has read nothing.
 * The program has begun by then: one that is to be strict is killed, and its start is refused, LIMIT_FAILED
 * or ISOLATION_FAILED.
 */
export async function confirm(task: TaskParts, start: StartRecord): Promise<StartRecord> {
  const { file } = task
  const { enforcement, request } = file.spec
  const read = readAtStart(task)
  // The portable shim reads nothing back, and isolates nothing.
  if (read === null && request.platform !== 'linux') return start
  if (read !== null && !read.some(({ verdict }) => verdict === 'differs')) return start
  const rows = read === null ? unconfirmed(enforcement) : confirmed(read)
  file.confirm(rows)
  try {
    refuseIfStrict(rows, request.strict)
    return start
  } catch (error) {
    await refuse(task, start, error)
    throw error
  }
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

/** Killed, with the reason in its exit record where its shim still lives to write it. */
async function refuse({ dir, keeper }: TaskParts, start: StartRecord, error: unknown): Promise<void> {
  const stage = error instanceof HoldfastError && error.code === 'LIMIT_FAILED' ? 'limit' : 'isolation'
  written(dir, `refuse ${stage} ${shortened(error)}`)
  await keeper.killTree(start, { spareShim: true })
}

/** A line of the shim's has 255 bytes at most. */
function shortened(error: unknown): string {
  const words = Buffer.from(error instanceof Error ? error.message : String(error)).subarray(0, 230)
  return words.toString('utf8').replaceAll(/[\p{Cc}\uFFFD]/gu, ' ')
}
