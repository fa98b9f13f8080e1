/** One way to run tasks: an executor, and who starts its processes. */
export type Adapter = {
  readonly name: string
  readonly platform: 'basic' | 'linux'
  /** The compiled program, or the stand-in written in TypeScript. */
  readonly native: boolean
}

export const adapters: readonly Adapter[] = [
  { name: 'linux', platform: 'linux', native: true },
  { name: 'basic', platform: 'basic', native: true },
  { name: 'basic, portable', platform: 'basic', native: false },
]

/**
 * Runs with the spawner of an adapter chosen. By the environment of this process, which is where the library
 * looks when a supervisor starts its first task: nothing else may start tasks meanwhile.
 */
export async function withAdapter<Result>({ native }: Adapter, body: () => Promise<Result>): Promise<Result> {
  const before = process.env.HOLDFAST_NATIVE
  if (!native) process.env.HOLDFAST_NATIVE = 'off'
  try {
    return await body()
  } finally {
    if (before === undefined) delete process.env.HOLDFAST_NATIVE
    else process.env.HOLDFAST_NATIVE = before
  }
}
