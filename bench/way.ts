/** `run` resolves to the milliseconds of one; `base` names the way that it is held against. */
export type Way = {
  readonly name: string
  readonly base: string
  readonly times: number
  readonly run: () => Promise<number>
}

export async function timed(action: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await action()
  return performance.now() - began
}
