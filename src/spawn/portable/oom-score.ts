import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const file = '/proc/self/oom_score_adj'

/** Elsewhere there is a row instead (src/platform/basic/portable-rows.ts). */
export const hasOomScore = process.platform === 'linux' && existsSync(file)

/**
 * Spawns with another oom_score_adj (proc_pid_oom_score_adj(5)): a child has that of its parent, which is
 * ours for so long. Null: as it is.
 */
export function withOomScore<Value>(score: number | null, work: () => Value): Value {
  if (score === null || !hasOomScore) return work()
  const own = readFileSync(file, 'latin1')
  try {
    writeFileSync(file, String(score))
  } catch (error) {
    throw Object.assign(error as Error, { stage: 'limit' })
  }
  try {
    return work()
  } finally {
    writeFileSync(file, own)
  }
}
