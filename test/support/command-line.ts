export type Said = { readonly code: number; readonly stdout: string; readonly stderr: string }

type Caller = {
  /** Both streams are terminals of so many columns; without it they are none. */
  readonly columns?: number
  /** What the words are read with besides this process's own environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Is told of all that was written so far, each time. */
  readonly heard?: (seen: Readonly<Omit<Said, 'code'>>) => void
}

/**
 * Carries out a command line in this process: a call costs some milliseconds, where a process of its own
 * costs some hundred. What it writes is returned instead of written. One at a time, for the streams, the exit
 * code and the environment are this process's own.
 */
export async function said(
  args: readonly string[],
  { columns, env = {}, heard = () => {} }: Caller = {},
): Promise<Said> {
  // As its actions import the library: what is required is another copy of each module.
  const { carryOut } = await import('../../src/cli/command-line.ts')
  const seen = { stdout: '', stderr: '' }
  const putBack = [...Object.entries(env).map(setVariable), ownExitCode()]
  for (const name of ['stdout', 'stderr'] as const) {
    const write = (bytes: Uint8Array | string, ...rest: unknown[]): boolean => {
      seen[name] += typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString()
      const written = rest.at(-1)
      if (typeof written === 'function') process.nextTick(written)
      heard(seen)
      return true
    }
    const isTTY = columns !== undefined
    const properties = { write, isTTY, columns, rows: columns && 24, hasColors: () => isTTY }
    putBack.push(...Object.entries(properties).map(([key, value]) => setProperty(process[name], key, value)))
  }
  try {
    await carryOut(args)
    return { code: Number(process.exitCode ?? 0), ...seen }
  } finally {
    for (const undo of putBack.reverse()) undo()
  }
}

function setVariable([name, value]: readonly [string, string | undefined]): () => void {
  const before = process.env[name]
  const set = (to: string | undefined): void => {
    if (to === undefined) delete process.env[name]
    else process.env[name] = to
  }
  set(value)
  return () => set(before)
}

function setProperty(of: object, key: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(of, key)
  Object.defineProperty(of, key, { value, configurable: true, writable: true })
  return () => {
    if (before === undefined) Reflect.deleteProperty(of, key)
    else Object.defineProperty(of, key, before)
  }
}

/** The runner's own is not to be that of a command. */
function ownExitCode(): () => void {
  const before = process.exitCode
  process.exitCode = undefined
  return () => {
    process.exitCode = before
  }
}
