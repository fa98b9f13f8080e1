import type { Executor } from '../src/index.ts'

/** `run` resolves to the milliseconds of one; `base` names the way that it is held against. */
export type Way = {
  readonly name: string
  readonly base: string
  readonly times: number
  readonly run: () => Promise<number>
}

export async function timed(action: () => unknown): Promise<number> {
  const began = performance.now()
  await action()
  return performance.now() - began
}

/** Start to end. Throws, with what it is called, unless the task has succeeded. */
export async function ranWell(task: Executor, name: string): Promise<void> {
  await task.start()
  const result = await task.wait()
  if (!result.successful) throw new Error(`${name}: ${JSON.stringify(result)}`)
}
