import type { Executor } from '../../src/index.ts'

/** A task whose samples are counted, or fail. */
export function sampled(task: Executor, answer: () => Promise<unknown> = async () => {}): { count: number } {
  const seen = { count: 0 }
  const usage = task.usage.bind(task)
  task.usage = async () => {
    seen.count++
    await answer()
    return usage()
  }
  return seen
}
